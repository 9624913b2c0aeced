// Congestion control by the name a profile gives.

import type { Profile } from '../../base/profile.ts';
import type { CongestionController } from './controller.ts';
import { Cubic } from './cubic.ts';
import { NewReno } from './newreno.ts';

/** A fresh controller of the kind that the profile names. */
export function controllerOf(profile: Profile): CongestionController {
  switch (profile.congestionControl) {
    case 'cubic':
      return new Cubic();
    case 'newreno':
      return new NewReno();
  }
}
