// Congestion control by the name a profile or a program gives.

import type { Profile } from '../../base/profile.ts';
import { Bbr } from './bbr.ts';
import type { CongestionController } from './controller.ts';
import { Cubic } from './cubic.ts';
import { IntegerCubic } from './cubic-integer.ts';
import { NewReno } from './newreno.ts';

/** A fresh controller of the kind that a profile names. */
export function controllerOf(name: Profile['congestionControl']): CongestionController {
  switch (name) {
    case 'bbr':
      return new Bbr();
    case 'cubic':
      return new Cubic();
    case 'cubic-integer':
      return new IntegerCubic();
    case 'newreno':
      return new NewReno();
  }
}
