/** See moving.mjs. */
export class Moving {
  constructor(lib: typeof import('../../src/index.ts'), options?: { total?: number; loss?: number; seed?: number });
  readonly events: number;
  readonly packets: number;
  readonly done: boolean;
  readonly sides: readonly {
    readonly connection: import('../../src/index.ts').Connection;
    readonly app: { read: number };
  }[];
  open(): void;
  step(): boolean;
  move(side: 0 | 1): boolean;
  pack(): string;
  finish(): this;
  static unpack(lib: typeof import('../../src/index.ts'), text: string): Moving;
}
