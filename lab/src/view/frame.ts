// The page that is loaded through the run: a service worker passes the frame's requests on to here, each becomes a
// request of the run's browser, and what the run's server answered goes back.

import { type Accessor, createEffect, createSignal, on, onCleanup, untrack } from 'solid-js';
import type { Answer } from '../model/record.ts';
import type { FrameAnswer, FrameRequest } from '../worker/frames.ts';
import type { Store } from './store.ts';

/** The frame, and what was asked for by it. */
export interface PageLoader {
  /** Where the frame leads; empty before it was asked for, `null` where the browser does not allow it. */
  readonly address: Accessor<string | null>;
  /** The answers the frame has had, in order. */
  readonly loaded: Accessor<readonly Answer[]>;
  load(): void;
}

interface Waiting {
  readonly target: string;
  readonly reply: MessagePort;
  asked: boolean;
}

/** How soon after an answer the frame asks for what the answer names, and how soon a reader clicks, ms of the run. */
const SOON = 2;
const LATER = 300;

/** Whether a target is a page, and so was asked for by a click. */
function isPage(target: string): boolean {
  return target.endsWith('/') || target.endsWith('.html');
}

/** Makes the loader of a page of the lab. */
export function createPageLoader(store: Store): PageLoader {
  const token = crypto.randomUUID().slice(0, 8);
  const [address, setAddress] = createSignal<string | null>('serviceWorker' in navigator ? '' : null);
  const [loaded, setLoaded] = createSignal<readonly Answer[]>([]);
  let waiting: Waiting[] = [];
  /** Answers of the run that the frame has had, by place. */
  const used = new Set<number>();
  /** The change of the run that is under way is ours. */
  let inserting = false;
  let loads = 0;
  const actions = () => JSON.stringify(store.spec().actions);

  /** Answers whoever can be answered; asks the run for one thing more, if there is somebody left. */
  const settle = () => {
    const record = store.record();
    if (record === null || JSON.stringify(record.spec.actions) !== actions()) return;
    for (const one of [...waiting]) {
      const place = record.answers.findIndex((a, i) => a.target === one.target && !used.has(i));
      const answer = record.answers[place];
      if (answer !== undefined || one.asked) {
        waiting = waiting.filter((w) => w !== one);
        if (answer !== undefined) used.add(place);
        if (answer !== undefined) setLoaded((list) => [...list, answer]);
        one.reply.postMessage(answerFor(answer));
        continue;
      }
      one.asked = true;
      const before = [...used].map((i) => record.answers[i]?.at ?? 0);
      const at = Math.max(0, ...before) + (isPage(one.target) ? LATER : SOON);
      inserting = true;
      store.insert({ kind: 'get', at: Math.round(at * 1000) / 1000, end: 'client', text: one.target });
      inserting = false;
      return;
    }
  };
  const onMessage = (event: MessageEvent<FrameRequest>) => {
    const reply = event.ports[0];
    if (event.data?.token !== token || reply === undefined) return;
    waiting.push({ target: event.data.target, reply, asked: false });
    settle();
  };
  const load = () => {
    used.clear();
    waiting = [];
    setLoaded([]);
    setAddress(`./page/${token}/?${++loads}`);
  };
  createEffect(on(store.record, settle, { defer: true }));
  // Somebody has changed the run: what was to come has not happened, and the page is loaded again through the new one.
  createEffect(
    on(
      actions,
      () => {
        if (!inserting && (untrack(address) ?? '') !== '') load();
      },
      { defer: true },
    ),
  );
  if (address() !== null) {
    navigator.serviceWorker.addEventListener('message', onMessage);
    navigator.serviceWorker.startMessages();
    onCleanup(() => navigator.serviceWorker.removeEventListener('message', onMessage));
  }
  return {
    address,
    loaded,
    load() {
      register().then(load, () => setAddress(null));
    },
  };
}

function answerFor(answer: Answer | undefined): FrameAnswer {
  if (answer === undefined) return { status: 0, type: '', body: new Uint8Array(0) };
  return { status: answer.status, type: answer.type, body: answer.body };
}

/** Sees to it that the service worker serves the frame. */
async function register(): Promise<void> {
  const script = new URL('./frames.js', document.baseURI);
  const registration = await navigator.serviceWorker.register(script, { scope: './page/' });
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (worker === null || worker.state === 'activated') return;
  await new Promise<void>((resolve) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve();
    });
  });
}
