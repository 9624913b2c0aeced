// The service worker of the frame: it asks the page of the lab for everything below `page/`, and nobody else.

/** What it asks a page of the lab: only the page that the frame belongs to answers. */
export interface FrameRequest {
  readonly token: string;
  readonly target: string;
}

/** The answer; `status` 0 when there is none. */
export interface FrameAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer> | Uint8Array;
}

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends Event {
  readonly request: globalThis.Request;
  respondWith(response: Promise<globalThis.Response>): void;
}

interface Client {
  readonly url: string;
  postMessage(message: FrameRequest, transfer: readonly MessagePort[]): void;
}

interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly Client[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}

const worker = self as unknown as Worker;
/** A page that is gone answers nothing; its frame is not left waiting, ms. */
const PATIENCE = 15_000;

/** Asks every page of the lab; the one with this token answers. */
async function ask(token: string, target: string): Promise<globalThis.Response> {
  const { scope } = worker.registration;
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const answer = await new Promise<FrameAnswer | null>((resolve) => {
    setTimeout(() => resolve(null), PATIENCE);
    for (const page of pages.filter((p) => !p.url.startsWith(scope))) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (event: MessageEvent<FrameAnswer>) => resolve(event.data);
      page.postMessage({ token, target }, [port2]);
    }
  });
  if (answer === null || answer.status === 0) return Response.error();
  const headers = { 'Content-Type': answer.type, 'Cache-Control': 'no-store' };
  return new Response(answer.body as Uint8Array<ArrayBuffer>, { status: answer.status, headers });
}

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  const path = url.href.slice(worker.registration.scope.length).replace(/[?#].*$/, '');
  if (!url.href.startsWith(worker.registration.scope)) return;
  const [token = '', ...rest] = path.split('/');
  event.respondWith(ask(token, `/${rest.join('/')}`));
});
