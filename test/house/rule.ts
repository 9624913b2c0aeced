// One rule of the house: it holds for every source, and it catches a source that breaks it.

import { describe, expect, it } from 'vitest';
import { parse, type Source } from './source.ts';

/**
 * @param title what holds
 * @param files the sources it holds for
 * @param find names what breaks the rule in one of them
 * @param bad a path and a text that break it: a rule that cannot fail is none
 */
export function rule(title: string, files: Source[], find: (file: Source) => string[], bad: [string, string]): void {
  describe(title, () => {
    it('holds', () => {
      expect(files.length).toBeGreaterThan(0);
      expect(files.flatMap(find)).toEqual([]);
    });
    it('would catch a file that breaks it', () => {
      expect(find(parse(...bad))).not.toEqual([]);
    });
  });
}
