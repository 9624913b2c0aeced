// The page's state: which run, which moment, what is chosen; and the ways to change it. The views only read it.

import { type Accessor, batch, createEffect, createMemo, createSignal, on, onCleanup, untrack } from 'solid-js';
import type { Lang, Narration, Places } from 'synfin/trace';
import { type TextKey, textOf } from '../i18n/texts.ts';
import { type Action, type CommandAction, type Forged, fork, type Knob, type RunSpec } from '../model/actions.ts';
import { type Exercise, type ExerciseId, exerciseOf } from '../model/exercises.ts';
import { type Look, preferredLang, readView, tabOf, writeView } from '../model/link.ts';
import { type Arrow, happened, type Progress, progressOf, type Scene, sceneAt, storyAt } from '../model/moment.ts';
import type { PacketRecord, RunRecord } from '../model/record.ts';
import type { End, Fate } from '../model/scenario.ts';
import { scenarioOf } from '../model/scenarios.ts';
import { layOut, positionAt, type StepKind, stepFrom, type Timeline, timeAt } from '../model/timeline.ts';
import type { Request, Response } from '../worker/run.ts';
import { type Asking, createAsking } from './asking.ts';

/** Pixels of the ladder per second of watching, at speed 1. */
const PACE = 85;
/** Speeds offered. */
export const SPEEDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 4, 10];
/** A run in which more than this happens is crowded; its scene then moves in steps, pixels at speed 1. */
const CROWD = 1200;
const GRAIN = 9;
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

  /** How the page looks, and which segment is chosen (0 for none). */
  readonly look: Accessor<Look>;
  setLook(changes: Partial<Look>): void;
  choose(packet: number): void;
  readonly chosenArrow: Accessor<Arrow | null>;

  readonly asking: Asking;
  /** The exercise that is being done, and when its run comes to it (-1: it does not). */
  readonly exercise: Accessor<Exercise | null>;
  readonly doneAt: Accessor<number>;
  begin(id: ExerciseId | ''): void;

  open(scenario: string): void;
  touch(fate: Fate, packet: number): void;
  command(kind: CommandAction['kind'], end: End, text?: string): void;
  turn(knob: Knob, end: End | '', value: number): void;
  forge(end: End, segment: Forged): void;
  /** Adds something to the run that nobody does by hand, at a moment of its own: nothing later is forgotten. */
  insert(action: Action): void;
  undo(all: boolean): void;
  /** The address of what is seen now. */
  link(): string;
}

/** Runs made in the worker, the newest asked for wins. */
function runner(show: (record: RunRecord) => void, fail: (why: string) => void): (spec: RunSpec) => void {
  const worker = new Worker(new URL('../worker/run.ts', import.meta.url), { type: 'module' });
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
  const [look, setWholeLook] = createSignal<Look>(first.look);
  const [record, setRecord] = createSignal<RunRecord | null>(null);
  const [error, setError] = createSignal('');
  const [p, setP] = createSignal(0);
  const [jumps, setJumps] = createSignal(0);
  const [playing, setPlaying] = createSignal(false);
  const [speed, setSpeed] = createSignal(1);
  const setLook = (changes: Partial<Look>) => setWholeLook((before) => ({ ...before, ...changes }));
  const chosen = createMemo(() => look().chosen);
  /** Where to look once the run that was asked for is there, ms. */
  let wanted = first.at;
  let playNext = first.at < 0 && !still;

  const timeline = createMemo(() => {
    const made = record();
    return made === null ? null : layOut(made);
  });
  const packets = createMemo(() => new Map(record()?.packets.map((k) => [k.id, k])));
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

  /** Where the scene stands: with the moment, but where much happens and time passes in steps that the eye can follow. */
  const standpoint = createMemo(() => {
    const crowded = playing() && (timeline()?.beats.length ?? 0) > CROWD;
    const grain = GRAIN * speed();
    return crowded ? Math.floor(p() / grain) * grain : p();
  });
  const count = createMemo(() => {
    const line = timeline();
    return line === null ? -1 : happened(line, standpoint());
  });
  // A scene changes when something happens, not with every frame.
  const scene = createMemo<Scene | null>(
    on([count, timeline], ([, line]) => (line === null ? null : sceneAt(line, untrack(standpoint)))),
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
  const asking = createAsking(() => look().asking, record, timeline, p);
  const exercise = createMemo(() => exerciseOf(look().task));
  const doneAt = createMemo(() => {
    const made = record();
    return made === null ? -1 : (exercise()?.check(made) ?? -1);
  });

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
  const now = () => justAfter(at());
  const openRun = (scenario: string, task: ExerciseId | '') => {
    batch(() => {
      setLook({ chosen: 0, task, ...(task === '' ? { tab: tabOf(scenario) } : {}) });
      asking.forget();
      setPlaying(false);
      playNext = !still;
      change({ scenario, seed: spec().seed, actions: [] }, 0);
    });
  };

  animate(playing, setPlaying, speed, timeline, asking, p, setP);
  const link = () => writeView({ spec: spec(), at: at(), lang: lang(), look: look() });
  followAddress(link, playing);
  createEffect(() => {
    document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en';
    document.documentElement.classList.toggle('projector', look().projector);
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
    packet: (id) => packets().get(id),
    progress: (arrow) => progressOf(arrow.flight, p()),
    p,
    at,
    jumps,
    playing,
    speed,
    setSpeed,
    play(go) {
      const line = timeline();
      if (line === null) return;
      if (go && p() >= line.length) {
        asking.forget();
        setP(0);
      }
      if (go && asking.here() !== null && asking.given() === 0) asking.answer(0);
      setPlaying(go);
    },
    seek,
    step(kind, forward) {
      const line = timeline();
      if (line === null) return;
      const to = stepFrom(line, p(), kind, forward);
      seek(forward ? asking.stop(p(), to) : to);
    },
    look,
    setLook,
    choose: (packet) => setLook({ chosen: packet }),
    chosenArrow,
    asking,
    exercise,
    doneAt,
    begin: (id) => (id === '' ? setLook({ task: '' }) : openRun(exerciseOf(id)?.scenario ?? spec().scenario, id)),
    open: (scenario) => openRun(scenario, ''),
    touch: (fate, packet) => act({ kind: fate, at: now(), packet }),
    command: (kind, end, text = '') => act({ kind, at: now(), end, text }),
    turn: (knob, end, value) => act({ kind: 'set', at: now(), knob, end, value }),
    forge: (end, segment) => act({ kind: 'forge', at: now(), end, segment }),
    insert(action) {
      const { actions } = spec();
      const next = [...actions, action].sort((a, b) => a.at - b.at);
      change({ ...spec(), actions: next }, at());
    },
    undo(all) {
      const { actions } = spec();
      setPlaying(false);
      // What a frame has asked for since then goes with it: the frame will ask again.
      const last = actions.filter((action) => action.kind !== 'get').at(-1);
      const kept = all || last === undefined ? [] : actions.slice(0, actions.indexOf(last));
      change({ ...spec(), actions: kept }, at());
    },
    link,
  };
}

/** Lets time pass while it plays, at an even pace on the ladder: silence goes by quickly. It stops at questions. */
function animate(
  playing: Accessor<boolean>,
  setPlaying: (on: boolean) => void,
  speed: Accessor<number>,
  timeline: Accessor<Timeline | null>,
  asking: Asking,
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
      const wanted = Math.min(p() + (passed / 1000) * PACE * speed(), line.length);
      const to = asking.stop(p(), wanted);
      setP(to);
      if (to >= line.length || to < wanted) setPlaying(false);
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
