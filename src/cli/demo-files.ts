// The files that the demonstration leaves: a capture of the run, and figures.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Conversation,
  type Crossing,
  type Figure,
  type Lang,
  PcapngWriter,
  readConversation,
  sequenceFigure,
  stateFigure,
  storyFigure,
  svgFile,
} from '../trace/index.ts';
import type { DemoPacket, DemoResult } from './demo-run.ts';

/** Where the capture is taken: as packets leave their senders, or at one host with what reached it. */
export type CapturePlace = 'wire' | 'client' | 'server';

/** What a reader of the capture sees beside a packet; empty for the ordinary ones. */
function comment(c: Crossing | undefined, packet: DemoPacket): string {
  const parts: string[] = [];
  if (c !== undefined) {
    if (/^(shake|wave|crossed)/.test(c.role)) parts.push(c.role.replace('-', ' '));
    if (c.again) parts.push('sent again');
    if (packet.point === 'sender') {
      if (c.fate === 'lost') parts.push('lost on the way');
      else if (c.fate === 'corrupted') parts.push('corrupted on the way');
      else if (c.late) parts.push('held back on the way');
    }
  }
  if (packet.corrupted && packet.point === 'receiver') parts.push('corrupted on the way');
  return parts.join(', ');
}

/** The run as a pcapng file; the same run gives the same bytes. */
export function capture(result: DemoResult, place: CapturePlace): Uint8Array {
  const writer = new PcapngWriter();
  const crossings = new Map<number, Crossing>();
  for (const c of readConversation(result.events)?.crossings ?? []) crossings.set(c.packet, c);
  const client = place === 'server' ? -1 : writer.interface('client', 'ip');
  const server = place === 'client' ? -1 : writer.interface('server', 'ip');
  for (const p of result.packets) {
    const here = p.point === 'sender' ? p.from : p.from === 'client' ? 'server' : 'client';
    if (place === 'wire' ? p.point !== 'sender' : here !== place) continue;
    const id = here === 'client' ? client : server;
    writer.packet(id, p.at, p.bytes, 0, p.bytes.length, comment(crossings.get(p.id), p));
  }
  return writer.finish();
}

/** Writes the capture of a run. Throws what the file system throws. */
export function writeCapture(file: string, result: DemoResult, place: CapturePlace): void {
  writeFileSync(file, capture(result, place));
}

/** Writes handshake and close of a run as one drawing. */
export function writeStory(file: string, conversation: Conversation, lang: Lang): void {
  writeFileSync(file, svgFile(storyFigure(conversation, lang), lang));
}

/** The drawings of the documentation, by file name: handshake, close and states, in both languages. */
export function figuresOf(conversation: Conversation): Map<string, string> {
  const files = new Map<string, string>();
  for (const lang of ['en', 'zh'] as const) {
    const add = (name: string, figure: Figure | null) => {
      if (figure !== null) files.set(`${name}.${lang}.svg`, svgFile(figure, lang));
    };
    add('handshake', sequenceFigure(conversation, 'open', lang));
    add('close', sequenceFigure(conversation, 'close', lang));
    add('states', stateFigure(lang, conversation));
  }
  return files;
}

/** Writes the drawings of the documentation into a directory, made when it is not there. Returns their names. */
export function writeFigures(directory: string, conversation: Conversation): string[] {
  mkdirSync(directory, { recursive: true });
  const files = figuresOf(conversation);
  for (const [name, svg] of files) writeFileSync(join(directory, name), svg);
  return [...files.keys()];
}
