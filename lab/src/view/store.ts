// The page's state: which run, which moment, what is chosen; and the ways to change it. The views only read it.

import { type Accessor, batch, createEffect, createMemo, createSignal, on, onCleanup, untrack } from 'solid-js';
import type { Lang, Narration, Places } from 'synfin/trace';
import { type TextKey, textOf } from '../i18n/texts.ts';
import { type Action, type CommandAction, fork, type RunSpec } from '../model/actions.ts';
import { preferredLang, readView, writeView } from '../model/link.ts';
import { type Arrow, happened, type Progress, progressOf, type Scene, sceneAt, storyAt } from '../model/moment.ts';
import type { PacketRecord, RunRecord } from '../model/run.ts';
import type { End, Fate } from '../model/scenario.ts';
import { scenarioOf } from '../model/scenarios.ts';
import { layOut, positionAt, type StepKind, stepFrom, type Timeline, timeAt } from '../model/timeline.ts';
import type { Request, Response } from '../model/worker.ts';

/** Pixels of the ladder per second of watching, at speed 1. */
const PACE = 85;
/** Speeds offered. */
export const SPEEDS: readonly number[] = [0.25, 0.5, 1, 2, 4];
/** The address follows the moment only when it rests, ms: browsers limit how often it may change. */
const REST = 400;

/** The state and its commands. */
export interface Store {
  readonly lang: Accessor<Lang>;
  setLang(lang: Lang): void;
  t(key: TextKey, places?: Places): string;

  readonly spec: Accessor<RunSpec>;
  readonly record: Accessor<RunRecord | null>;
  readonly timeline: Accessor<Timeline | null>;
  readonly scene: Accessor<Scene | null>;
  readonly story: Accessor<Narration | null>;
  readonly error: Accessor<string>;
  packet(id: number): PacketRecord | undefined;
  progress(arrow: Arrow): Progress;

  readonly p: Accessor<number>;
  readonly at: Accessor<number>;
  /** Changes when the moment was jumped to and not played to. */
  readonly jumps: Accessor<number>;
  readonly playing: Accessor<boolean>;
  readonly speed: Accessor<number>;
  setSpeed(speed: number): void;
  play(on: boolean): void;
  seek(p: number): void;
  step(kind: StepKind, forward: boolean): void;

  /** The chosen segment's packet; 0 for none. */
  readonly chosen: Accessor<number>;
  choose(packet: number): void;
  readonly chosenArrow: Accessor<Arrow | null>;

  open(scenario: string): void;
  touch(fate: Fate, packet: number): void;
  command(kind: CommandAction['kind'], end: End, text?: string): void;
  undo(all: boolean): void;
  /** The address of what is seen now. */
  link(): string;
}

/** Runs made in the worker, the newest asked for wins. */
function runner(show: (record: RunRecord) => void, fail: (why: string) => void): (spec: RunSpec) => void {
  const worker = new Worker(new URL('../model/worker.ts', import.meta.url), { type: 'module' });
  let newest = 0;
  worker.onmessage = ({ data }: MessageEvent<Response>) => {
    if (data.id !== newest) return;
    if (data.record === null) fail(data.error);
    else show(data.record);
  };
  worker.onerror = (event) => fail(event.message);
  onCleanup(() => worker.terminate());
  return (spec) => {
    const request: Request = { id: ++newest, spec };
    worker.postMessage(request);
  };
}

/** Actions happen just after the moment that is seen: nothing that is on the ladder may change. */
function justAfter(at: number): number {
  return Math.floor(at * 1000 + 1) / 1000;
}

/** Makes the state of the page from its address. */
export function createStore(): Store {
  const first = readView(location.search);
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const [lang, setLang] = createSignal<Lang>(first.lang === '' ? preferredLang(navigator.languages) : first.lang);
  const [spec, setSpec] = createSignal<RunSpec>(first.spec);
  const [record, setRecord] = createSignal<RunRecord | null>(null);
  const [error, setError] = createSignal('');
  const [p, setP] = createSignal(0);
  const [jumps, setJumps] = createSignal(0);
  const [playing, setPlaying] = createSignal(false);
  const [speed, setSpeed] = createSignal(1);
  const [chosen, setChosen] = createSignal(0);
  /** Where to look once the run that was asked for is there, ms. */
  let wanted = first.at;
  let playNext = first.at < 0 && !still;

  const timeline = createMemo(() => {
    const made = record();
    return made === null ? null : layOut(made);
  });
  const run = runner(
    (made) => {
      batch(() => {
        setError('');
        setRecord(made);
        setP(Math.min(positionAt(timeline()!, Math.max(wanted, 0)), timeline()!.length));
        setJumps((n) => n + 1);
        if (playNext) setPlaying(true);
        playNext = false;
      });
    },
    (why) => setError(why),
  );
  createEffect(() => run(spec()));

  const count = createMemo(() => {
    const line = timeline();
    return line === null ? -1 : happened(line, p());
  });
  // A scene changes when something happens, not with every frame.
  const scene = createMemo<Scene | null>(
    on([count, timeline], ([, line]) => (line === null ? null : sceneAt(line, untrack(p)))),
  );
  const story = createMemo<Narration | null>(() => {
    const seen = scene();
    return seen === null ? null : storyAt(seen, lang());
  });
  const at = createMemo(() => {
    const line = timeline();
    return line === null ? 0 : timeAt(line, p());
  });
  const chosenArrow = createMemo(() => scene()?.arrows.find((a) => a.flight.packet === chosen()) ?? null);

  const seek = (to: number) => {
    const line = timeline();
    if (line === null) return;
    batch(() => {
      setPlaying(false);
      setP(Math.min(Math.max(to, 0), line.length));
      setJumps((n) => n + 1);
    });
  };
  const change = (next: RunSpec, when: number) => {
    wanted = when;
    setSpec(next);
  };
  const act = (action: Action) => {
    setPlaying(false);
    const now = spec();
    change({ ...now, actions: fork(now.actions, action) }, action.at);
  };

  animate(playing, setPlaying, speed, timeline, p, setP);
  const link = () => writeView({ spec: spec(), at: at(), lang: lang() });
  followAddress(link, playing);
  createEffect(() => {
    document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en';
    document.title = `${textOf(lang(), `title-${scenarioOf(spec().scenario).id}`)} \u00b7 ${textOf(lang(), 'title')}`;
  });

  return {
    lang,
    setLang,
    t: (key, places) => textOf(lang(), key, places),
    spec,
    record,
    timeline,
    scene,
    story,
    error,
    packet: (id) => record()?.packets.find((k) => k.id === id),
    progress: (arrow) => progressOf(arrow.flight, p()),
    p,
    at,
    jumps,
    playing,
    speed,
    setSpeed,
    play(on) {
      const line = timeline();
      if (line === null) return;
      if (on && p() >= line.length) setP(0);
      setPlaying(on);
    },
    seek,
    step(kind, forward) {
      const line = timeline();
      if (line !== null) seek(stepFrom(line, p(), kind, forward));
    },
    chosen,
    choose: setChosen,
    chosenArrow,
    open(scenario) {
      batch(() => {
        setChosen(0);
        setPlaying(false);
        playNext = !still;
        change({ scenario, seed: spec().seed, actions: [] }, 0);
      });
    },
    touch: (fate, packet) => act({ kind: fate, at: justAfter(at()), packet }),
    command: (kind, end, text = '') => act({ kind, at: justAfter(at()), end, text }),
    undo(all) {
      const { actions } = spec();
      setPlaying(false);
      change({ ...spec(), actions: all ? [] : actions.slice(0, -1) }, at());
    },
    link,
  };
}

/** Lets time pass while it plays, at an even pace on the ladder: silence goes by quickly. */
function animate(
  playing: Accessor<boolean>,
  setPlaying: (on: boolean) => void,
  speed: Accessor<number>,
  timeline: Accessor<Timeline | null>,
  p: Accessor<number>,
  setP: (p: number) => void,
): void {
  createEffect(() => {
    if (!playing()) return;
    let before = -1;
    let frame = requestAnimationFrame(function tick(now) {
      const line = timeline();
      if (line === null) return;
      // A page that was in the background does not catch up.
      const passed = before < 0 ? 0 : Math.min(now - before, 100);
      before = now;
      const to = Math.min(p() + (passed / 1000) * PACE * speed(), line.length);
      setP(to);
      if (to >= line.length) setPlaying(false);
      else frame = requestAnimationFrame(tick);
    });
    onCleanup(() => cancelAnimationFrame(frame));
  });
}

/** Keeps the address bar true, once the moment rests. */
function followAddress(link: () => string, playing: Accessor<boolean>): void {
  createEffect(() => {
    const to = link();
    if (playing()) return;
    const timer = setTimeout(() => history.replaceState(null, '', to), REST);
    onCleanup(() => clearTimeout(timer));
  });
}
