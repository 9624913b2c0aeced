// Keys from the platform's generator: what a host's secrets are made of.

/**
 * Random octets that nobody can guess, for `HostOptions.key`.
 *
 * @param octets `[1, 65536]`; 32 when absent, twice what RFC 6528 §3 asks of the secret behind initial sequence numbers
 */
export function randomKey(octets = 32): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(octets));
}
