import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWebSocketLink, type WebSocketLike, type WebSocketLinkOptions } from '../../src/link/websocket.ts';
import { TestPort } from './ports.ts';

class FakeSocket implements WebSocketLike {
  binaryType = 'blob';
  bufferedAmount = 0;
  readyState = 1;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  closed = 0;

  send(data: Uint8Array): void {
    this.sent.push(data);
    this.bufferedAmount += data.length;
  }

  close(): void {
    this.closed++;
  }

  message(data: unknown): void {
    this.onmessage?.({ data } as never);
  }
}

function start(
  socket: FakeSocket,
  options: WebSocketLinkOptions = {},
): { link: ReturnType<typeof createWebSocketLink>; port: TestPort } {
  const link = createWebSocketLink(socket, options);
  const port = new TestPort();
  link.open(port);
  return { link, port };
}

describe('WebSocket link', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('sends each packet as a message of its own, with octets of its own', () => {
    const socket = new FakeSocket();
    const { link, port } = start(socket);
    port.queue([1, 2, 3], [4]);
    link.pump();
    expect(socket.sent.map((m) => [...m])).toEqual([[1, 2, 3], [4]]);
    expect(socket.sent[0]!.buffer).not.toBe(socket.sent[1]!.buffer);
    expect(socket.sent[0]!.buffer.byteLength).toBe(3);
  });

  it('takes array buffers and views of them, ends each with a turn, and ignores text', () => {
    const socket = new FakeSocket();
    const { port } = start(socket);
    expect(socket.binaryType).toBe('arraybuffer');
    socket.message(Uint8Array.of(1, 2).buffer);
    socket.message(Uint8Array.of(9, 3, 4, 9).subarray(1, 3));
    socket.message('hello');
    expect(port.received.map((p) => [...p])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(port.diary).toEqual(['receive 2', 'turn', 'receive 2', 'turn']);
  });

  it('stops pulling at the high-water mark and says writable below the low one', () => {
    const socket = new FakeSocket();
    const { link, port } = start(socket, { highWater: 4, lowWater: 1 });
    port.queue([1, 1], [2, 2], [3, 3]);
    link.pump();
    expect(socket.sent.length).toBe(2);
    link.pump();
    expect(socket.sent.length).toBe(2);
    socket.bufferedAmount = 2;
    vi.advanceTimersByTime(100);
    expect(port.diary).toEqual([]);
    socket.bufferedAmount = 1;
    vi.advanceTimersByTime(100);
    expect(port.diary).toEqual(['writable']);
    link.pump();
    expect(socket.sent.length).toBe(3);
    vi.runAllTimers();
    expect(port.diary).toEqual(['writable']);
  });

  it('looks at a full socket at once first, then at intervals', () => {
    const socket = new FakeSocket();
    const { link, port } = start(socket, { highWater: 1 });
    const times: number[] = [];
    Object.defineProperty(socket, 'bufferedAmount', { get: () => times.push(Date.now()) + 9 });
    port.queue([1]);
    link.pump();
    vi.advanceTimersByTime(200);
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    expect(Math.max(...gaps.slice(0, 16))).toBeLessThan(2);
    expect(new Set(gaps.slice(16))).toEqual(new Set([4]));
  });

  it('sends nothing while the socket is connecting', () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    const { link, port } = start(socket);
    port.queue([1]);
    link.pump();
    expect(socket.sent).toEqual([]);
    socket.readyState = 1;
    socket.onopen?.({} as never);
    expect(port.diary).toEqual(['writable']);
    link.pump();
    expect(socket.sent.length).toBe(1);
  });

  it('is down exactly once when the socket closes, also when it was closed before', () => {
    const socket = new FakeSocket();
    const { link, port } = start(socket);
    const close = socket.onclose!;
    socket.onerror!({} as never);
    close({} as never);
    expect(port.diary).toEqual(['down ENETDOWN']);
    port.queue([1]);
    link.pump();
    expect(socket.sent).toEqual([]);
    const late = new FakeSocket();
    late.readyState = 3;
    expect(start(late).port.diary).toEqual(['down ENETDOWN']);
  });

  it('closing is silent, stops the timer and closes the socket', () => {
    const socket = new FakeSocket();
    const { link, port } = start(socket, { highWater: 1 });
    port.queue([1], [2]);
    link.pump();
    link.close();
    vi.runAllTimers();
    expect([socket.closed, socket.onmessage, port.diary]).toEqual([1, null, []]);
  });

  it('makes up an address that is locally administered and no group', () => {
    const { mac } = createWebSocketLink(new FakeSocket());
    expect(mac![0]! & 3).toBe(2);
    expect(createWebSocketLink(new FakeSocket(), { medium: 'ip' }).mac).toBeNull();
  });
});
