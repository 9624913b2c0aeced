// A browser and a web server as programs: HTTP/1.1 by the package's own rooms, over the connection that is shown.

import type { Connection } from 'synfin';
import { HttpClientStream, HttpServerStream } from 'synfin/http';
import { type Actor, octets, type Surroundings } from './program.ts';
import type { Answer } from './record.ts';
import type { Deed, End } from './scenario.ts';
import { SITE } from './site.ts';

/** How long the browser keeps a connection that it has no use for, ms. */
const KEPT = 3000;

/** Bytes in one piece. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Asks for one thing after the other on one connection, and closes it when there is nothing more to ask for. */
class Browser implements Actor {
  readonly #stage: Surroundings;
  readonly #answers: Answer[];
  readonly #wanted: string[] = ['/'];
  #http: HttpClientStream | null = null;
  #over = false;
  #idleSince = 0;

  /** @param answers where what it gets is put */
  constructor(stage: Surroundings, answers: Answer[]) {
    this.#stage = stage;
    this.#answers = answers;
  }

  go(): void {
    this.#stage.tell('client', 'connect');
    this.take(this.#stage.connect('client'));
  }

  take(connection: Connection): void {
    this.#http = new HttpClientStream(connection, {
      onOpen: () => {
        this.#stage.tell('client', 'open');
        this.#ask();
      },
      onClose: () => {
        this.#over = true;
        this.#stage.tell('client', 'closed', connection.error?.code ?? '');
        for (const target of this.#wanted.splice(0)) this.#fail(target);
      },
    });
  }

  perform(deed: Deed): void {
    const connection = this.#http?.stream;
    if (connection === undefined) return;
    if (deed.do === 'get') {
      if (this.#over) this.#fail(deed.text);
      else {
        this.#wanted.push(deed.text);
        this.#ask();
      }
    } else if (deed.do === 'shutdown') {
      this.#stage.tell('client', 'shutdown');
      connection.shutdown();
    } else if (deed.do === 'abort') {
      this.#stage.tell('client', 'abort');
      connection.abort();
    }
  }

  /** A browser reads what it asked for. */
  setReading(): void {}

  #fail(target: string): void {
    this.#answers.push({ target, at: this.#stage.now, status: 0, type: '', body: new Uint8Array(0) });
  }

  /** The next request, once the last one is answered. */
  #ask(): void {
    const http = this.#http;
    if (http === null || !http.reusable) return;
    const target = this.#wanted.shift();
    if (target === undefined) return;
    this.#stage.tell('client', 'asks', target);
    const parts: Uint8Array[] = [];
    let [status, type] = [0, ''];
    http.request(
      { target, headers: { Host: '10.0.0.2' } },
      {
        onResponse: (response) => {
          status = response.status;
          type = response.headers.get('content-type') ?? '';
        },
        onData: (bytes, from, to) => parts.push(bytes.slice(from, to)),
        onEnd: () => {
          this.#answers.push({ target, at: this.#stage.now, status, type, body: joined(parts) });
          this.#stage.tell('client', 'got', `${status} ${target}`);
          this.#rest();
          this.#ask();
        },
        onError: () => this.#fail(target),
      },
    );
  }

  /** Nothing more to ask for, for a while: the connection is closed in good order. */
  #rest(): void {
    const since = this.#stage.now;
    this.#idleSince = since;
    this.#stage.after(KEPT, () => {
      const http = this.#http;
      if (this.#over || this.#idleSince !== since || this.#wanted.length > 0 || http?.reusable !== true) return;
      this.#stage.tell('client', 'shutdown');
      http.stream.shutdown();
    });
  }
}

/** Serves the site. */
class Site implements Actor {
  readonly #stage: Surroundings;
  #connection: Connection | null = null;

  constructor(stage: Surroundings) {
    this.#stage = stage;
  }

  /** A server waits to be asked. */
  go(): void {}

  take(connection: Connection): void {
    this.#connection = connection;
    this.#stage.tell('server', 'open');
    new HttpServerStream(connection, {
      onRequest: (request, response) => {
        const page = SITE[request.target.split('?')[0] ?? ''];
        const status = page === undefined ? 404 : 200;
        this.#stage.tell('server', 'answers', `${status} ${request.target}`);
        response.writeHead(status, { 'Content-Type': page?.type ?? 'text/plain' });
        response.end(octets(page?.text ?? 'nothing here\n'));
      },
      onClose: () => this.#stage.tell('server', 'closed', connection.error?.code ?? ''),
    });
  }

  perform(deed: Deed): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (deed.do === 'shutdown') {
      this.#stage.tell('server', 'shutdown');
      connection.shutdown();
    } else if (deed.do === 'abort') {
      this.#stage.tell('server', 'abort');
      connection.abort();
    }
  }

  /** A server reads what it is asked. */
  setReading(): void {}
}

/** Makes both programs. */
export type WebActors = (stage: Surroundings, answers: Answer[]) => Readonly<Record<End, Actor>>;

/** A browser at the client, and the site at the server. */
export const webActors: WebActors = (stage, answers) => ({
  client: new Browser(stage, answers),
  server: new Site(stage),
});
