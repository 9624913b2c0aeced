// A link of bare IP packets between a page and its worker.

import { createWebSocketLink } from 'synfin/link/websocket';

/** @param port a worker, or in a worker `self` */
export function portLink(port) {
  const socket = {
    ...{ binaryType: 'arraybuffer', bufferedAmount: 0, onmessage: null, onclose: null },
    send: (packet) => port.postMessage(packet.slice().buffer),
    close: () => undefined,
  };
  port.onmessage = (event) => socket.onmessage?.(event);
  return createWebSocketLink(socket, { medium: 'ip' });
}
