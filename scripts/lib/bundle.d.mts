// Types of `bundle.mjs`, for the tests.

export function withConstants(text: string): Promise<string>;
