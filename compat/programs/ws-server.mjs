// An echo server by `ws`, as programs make one; it knows nothing of where its packets go.
//
//   node ws-server.mjs PORT

import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: Number(process.argv[2]) });
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
server.on('listening', () => console.log(`listening: ${server.address().port}`));
