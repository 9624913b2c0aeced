// Linux error numbers and the other constants of its socket calls that the agent speaks.

/** Linux error numbers. */
export const E = {
  EBADF: 9,
  EAGAIN: 11,
  EFAULT: 14,
  EINVAL: 22,
  ENOTTY: 25,
  EPIPE: 32,
  EDOM: 33,
  ENOSYS: 38,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  EEXIST: 17,
  ENOENT: 2,
} as const;

/** Address family AF_UNSPEC. */
export const AF_UNSPEC = 0;
/** Address family AF_INET. */
export const AF_INET = 2;
/** Address family AF_INET6. */
export const AF_INET6 = 10;
/** Kind of socket SOCK_STREAM. */
export const SOCK_STREAM = 1;
/** Kind of socket SOCK_DGRAM. */
export const SOCK_DGRAM = 2;
/** File status flag O_RDWR. */
export const O_RDWR = 2;
/** File status flag O_NONBLOCK. */
export const O_NONBLOCK = 2048;

/** Flag of send and receive MSG_OOB. */
export const MSG_OOB = 0x1;
/** Flag of send and receive MSG_PEEK. */
export const MSG_PEEK = 0x2;
/** Flag of send and receive MSG_TRUNC. */
export const MSG_TRUNC = 0x20;
/** Flag of send and receive MSG_DONTWAIT. */
export const MSG_DONTWAIT = 0x40;
/** Flag of send and receive MSG_EOR. */
export const MSG_EOR = 0x80;
/** Flag of send and receive MSG_WAITALL. */
export const MSG_WAITALL = 0x100;
/** Flag of send and receive MSG_ERRQUEUE. */
export const MSG_ERRQUEUE = 0x2000;
/** Flag of send MSG_FASTOPEN. */
export const MSG_FASTOPEN = 0x2000_0000;
/** Flag of send and receive MSG_MORE. */
export const MSG_MORE = 0x8000;

/** Event of poll(2) POLLIN. */
export const POLLIN = 0x1;
/** Event of poll(2) POLLPRI. */
export const POLLPRI = 0x2;
/** Event of poll(2) POLLOUT. */
export const POLLOUT = 0x4;
/** Event of poll(2) POLLERR. */
export const POLLERR = 0x8;
/** Event of poll(2) POLLHUP. */
export const POLLHUP = 0x10;
/** Event of poll(2) POLLNVAL. */
export const POLLNVAL = 0x20;
/** Event of poll(2) POLLRDNORM. */
export const POLLRDNORM = 0x40;
/** Event of poll(2) POLLWRNORM. */
export const POLLWRNORM = 0x100;
/** Event of poll(2) POLLRDHUP. */
export const POLLRDHUP = 0x2000;

/** Why a call failed, thrown inside of the room and turned into an answer at its edge. */
export class CallError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
