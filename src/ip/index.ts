// The public names of the ip room.

export {
  ICMP_ERROR_BURST,
  ICMP_ERRORS_PER_SECOND,
  IcmpLimiter,
  mayAnswerWithError,
  PeerLimiter,
} from './icmp-limits.ts';
export {
  NEIGHBOUR_CAPACITY,
  NEIGHBOUR_FAILED,
  NEIGHBOUR_PENDING,
  NEIGHBOUR_READY,
  NeighbourCache,
  NeighbourEntry,
  type NeighbourState,
  NO_REQUEST,
} from './neighbours.ts';
export { Route, RouteTable } from './routes.ts';
