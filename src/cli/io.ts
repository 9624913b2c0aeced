// What a verb of the command gets instead of the process: where to write, the environment and the language.

/** Somewhere to write: a standard stream of the process, or a test's list. */
interface TextOut {
  /** Takes everything; `false` asks to wait for `drain` before more is written. */
  write(data: string | Uint8Array): unknown;
  /** Calls `then` once there is room again; absent where writing never waits. */
  once?(event: 'drain', then: () => void): unknown;
  /** It is a terminal: progress may be drawn on it. */
  readonly isTTY?: boolean;
}

/** The surroundings of a verb. Tests give their own. */
export interface CliIo {
  readonly stdout: TextOut;
  readonly stderr: TextOut;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From `--lang`, else from the locale of the environment. */
  readonly lang: 'en' | 'zh';
}

/** Exit statuses of every verb. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_MISUSE = 2;

/** The command line makes no sense: status 2. The message is one line. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}
