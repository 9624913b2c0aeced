// What a verb of the command gets instead of the process: where to write, the environment and the language.

/** Somewhere to write text. */
export interface TextOut {
  write(text: string): void;
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
