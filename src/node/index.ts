// The public names of the room: Node's own modules over a host of ours.

export { createHttp, type Http, type HttpOptions } from './http.ts';
export {
  createNet,
  type Lookup,
  type LookupAddress,
  type LookupCallback,
  type Net,
  type NetHost,
  type NetListener,
  type NetOptions,
  type NetStream,
} from './net.ts';
