// The connections of a script: their ports, and how the script's numbers become those on the wire.
//
// A script counts both sides from numbers of its own. The peer's are used as they are written; ours are drawn by the
// host, so every one of them is moved by the distance between the first SYN on the wire and the one in the script.

/** The two ends of a script's packets. */
export interface Ends {
  readonly v6: boolean;
  /** The host under test, as text and as words. */
  readonly local: Int32Array;
  readonly remote: Int32Array;
}

/** Ports and numbers of one connection. */
export class Conversation {
  readonly localPort: number;
  readonly remotePort: number;
  /** Our sequence numbers on the wire, minus those of the script. */
  offset = 0;
  /** Whether our first sequence number has been seen. */
  known = false;
  /** Timestamps of ours: by the script's value, the one on the wire. */
  readonly #stamps: Map<number, number> = new Map();
  #firstScript = 0;
  #firstLive = 0;

  constructor(localPort: number, remotePort: number) {
    this.localPort = localPort;
    this.remotePort = remotePort;
  }

  /** Learns our numbers from our SYN, or from the first segment that has one. */
  learn(script: number, live: number): void {
    if (this.known) return;
    this.known = true;
    this.offset = (live - script) | 0;
  }

  /** A new connection of the same ports begins: its first number is another one, and is learned when it is seen. */
  renew(): void {
    this.known = false;
  }

  /** A number of ours, on the wire. */
  live(script: number): number {
    return (script + this.offset) | 0;
  }

  /** A number of ours, as the script counts. */
  script(live: number): number {
    return (live - this.offset) | 0;
  }

  /** Remembers what stood on the wire where the script has this timestamp. */
  stamp(script: number, live: number): void {
    if (this.#stamps.size === 0) {
      this.#firstScript = script;
      this.#firstLive = live;
    }
    this.#stamps.set(script, live);
  }

  /**
   * The timestamp on the wire for one of the script.
   *
   * @param ticks whether the script counts ticks, so that any value can be told from the first one
   */
  liveStamp(script: number, ticks: boolean): number {
    const known = this.#stamps.get(script);
    if (known !== undefined) return known;
    return ticks && script !== 0 ? (this.#firstLive + script - this.#firstScript) | 0 : script;
  }

  /** How far a timestamp on the wire is from the one that the script expects, in ticks. */
  stampError(script: number, live: number): number {
    if (this.#stamps.size === 0) return 0;
    return (live - this.#firstLive - (script - this.#firstScript)) | 0;
  }
}

/** First port of peers that open connections. */
const PEER_PORT = 45_001;

/** The connections of a script, and which of them a packet belongs to. */
export class Conversations {
  readonly #all: Conversation[] = [];
  /** The one that packets without ports belong to; `null` before the first, and since a socket has begun to listen. */
  #current: Conversation | null = null;
  #nextPort = PEER_PORT;
  #localPort: number;
  /** `connect` was called: a SYN of ours opens the next one. */
  #connecting = false;

  /** @param localPort where the host listens unless the script says otherwise */
  constructor(localPort: number) {
    this.#localPort = localPort;
  }

  /** A socket listens at `port`: the next packet of the peer without ports opens a connection there. */
  listens(port: number): void {
    this.#localPort = port;
    this.#current = null;
  }

  /** A socket connects: the next SYN of the host opens a connection. */
  connects(): void {
    this.#connecting = true;
  }

  /** The connection with these ports of both sides, or `null`. */
  find(localPort: number, remotePort: number): Conversation | null {
    return this.#all.find((c) => c.localPort === localPort && c.remotePort === remotePort) ?? null;
  }

  /** The connection a packet from the peer belongs to, by its ports, which are 0 where the script names none. */
  arriving(localPort: number, remotePort: number): Conversation {
    if (remotePort > 0) return this.find(localPort, remotePort) ?? this.#open(localPort, remotePort);
    return this.#current ?? this.#open(this.#localPort, this.#nextPort++);
  }

  /** The connection a segment of the host belongs to; `opens` when it is a SYN without ACK. */
  leaving(localPort: number, remotePort: number, opens: boolean): Conversation {
    const found = this.find(localPort, remotePort);
    if (found !== null && !(this.#connecting && opens)) return found;
    this.#connecting = false;
    this.#current = found ?? this.#open(localPort, remotePort);
    return this.#current;
  }

  #open(localPort: number, remotePort: number): Conversation {
    const opened = new Conversation(localPort, remotePort);
    this.#all.push(opened);
    this.#current = opened;
    return opened;
  }
}
