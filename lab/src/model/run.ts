// A run: two hosts of the real stack in virtual time, from a scenario, a seed and a list of actions. The same
// three give the same run to the octet, which is what makes rewinding a matter of looking.

import type { Network } from 'synfin/sim';
import type { RunSpec } from './actions.ts';
import type { RunRecord } from './record.ts';
import { Stage } from './stage.ts';
import type { WebActors } from './web.ts';

/** Half an hour of virtual time and these many events are enough for every scenario and most mischief. */
const LONGEST = 1_800_000;
const MOST_EVENTS = 20_000;

/**
 * Makes a run, from its beginning until nothing is left to happen.
 *
 * @param web makes the programs of scenarios that want a browser and a web server; a `TypeError` when it is missing there
 */
export function simulate(spec: RunSpec, web: WebActors | null = null): RunRecord {
  const stage = new Stage(spec, web);
  const { network } = stage;
  stage.start();
  // What happens at the first instant, before time moves.
  network.run({ until: 0 });
  stage.note();
  network.run({ until: LONGEST, when: () => network.events > MOST_EVENTS || quiet(network) });
  return {
    spec,
    events: stage.events,
    program: stage.program,
    packets: stage.packets(),
    insides: stage.insides,
    connections: { client: stage.connectionAt('client')?.id ?? -1, server: stage.connectionAt('server')?.id ?? -1 },
    answers: stage.answers,
    end: network.now,
    digest: network.digest,
  };
}

/** Nothing is left to happen: the clock stays where it is. */
function quiet(network: Network): boolean {
  return network.nextAt === Number.POSITIVE_INFINITY;
}
