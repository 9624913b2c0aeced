// The package `readable-stream` has the types of Node's streams, which it is made of.

declare module 'readable-stream' {
  export { Duplex, Readable, Writable } from 'node:stream';
}
