// The public names of `services/`: what hosts of a network ask each other for besides connections.

export {
  type DnsCallback,
  DnsClient,
  type DnsFailure,
  type DnsNetwork,
  type DnsOptions,
  type DnsServer,
  type DnsSocket,
} from './dns-client.ts';
