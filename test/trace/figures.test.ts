// The drawings: well formed, described, and showing what the trace and the edges say.

import { describe, expect, test } from 'vitest';
import { EDGES, STATES } from '../../src/base/state.ts';
import { readConversation } from '../../src/trace/conversation.ts';
import { sequenceFigure, storyFigure } from '../../src/trace/figures.ts';
import { stateFigure } from '../../src/trace/state-diagram.ts';
import { svgFile } from '../../src/trace/svg.ts';
import { handshake, modelStory } from './script.ts';

const model = readConversation(modelStory())!;

/** Fails unless every element is closed in order and every attribute is quoted. */
function wellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, rest] of svg.matchAll(/<(\/?)(\w+)([^<>]*)>/g)) {
    if (end === '/') expect(open.pop()).toBe(name);
    else {
      expect(rest!.replace(/\s[\w:-]+="[^"]*"/g, '').trim()).toMatch(/^\/?$/);
      if (!rest!.endsWith('/')) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  expect(svg.replace(/&(amp|lt|gt|quot);/g, '')).not.toContain('&');
}

describe('the figures', () => {
  test.each(['en', 'zh'] as const)('are well formed, titled and described (%s)', (lang) => {
    for (const figure of [
      sequenceFigure(model, 'open', lang)!,
      sequenceFigure(model, 'close', lang)!,
      stateFigure(lang, model),
      storyFigure(model, lang),
    ]) {
      const svg = svgFile(figure, lang);
      wellFormed(svg);
      expect(svg).toContain(`lang="${lang}"`);
      expect(svg).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="desc">[^<]+<\/desc>/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  test('the handshake shows states, letters and words', () => {
    const svg = svgFile(sequenceFigure(model, 'open', 'en')!, 'en').replaceAll('\u00a0', ' ');
    for (const words of [
      'SYN=1  seq=x',
      'SYN=1  ACK=1  seq=y  ack=x+1',
      'ACK=1  seq=x+1  ack=y+1',
      'LISTEN',
      'SYN-RECEIVED',
    ]) {
      expect(svg).toContain(words);
    }
    expect(svg).not.toContain('FIN-WAIT-1');
  });

  test('the close shows four waves, a lost one, and 2MSL', () => {
    const svg = svgFile(sequenceFigure(model, 'close', 'zh')!, 'zh').replaceAll('\u00a0', ' ');
    for (const words of [
      'FIN=1  ACK=1  seq=u',
      'ack=u+1',
      'seq=w',
      'ack=w+1',
      'TIME-WAIT',
      '2MSL = 60 s',
      '重传',
      '我也说完了',
    ]) {
      expect(svg).toContain(words);
    }
  });

  test('a conversation that never closes has no figure of a close', () => {
    expect(sequenceFigure(readConversation(handshake().events)!, 'close', 'en')).toBeNull();
  });

  test('the eleven states and every edge of the figure of the RFC are drawn, in the colour of who took them', () => {
    const svg = stateFigure('en', model).body;
    for (const state of STATES) expect(svg).toContain(`>${state}</text>`);
    const paths = svg.match(/<path d="M[^"]+" fill="none"/g)!.length;
    expect(paths).toBe(EDGES.filter((e) => e.drawn).length + 1);
    for (const e of EDGES.filter((o) => o.drawn)) expect(svg).toContain(`>${e.cause}</text>`);
    const taken = model.edges.left.length + model.edges.right.length;
    expect(svg.match(/stroke-width="2.75" marker-end/g)!.length).toBe(taken);
    expect(stateFigure('en').body).not.toContain('stroke-width="2.75"');
  });
});
