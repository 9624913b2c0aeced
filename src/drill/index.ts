// The public names of synfin/drill: the interpreter of scripts, and the session that answers packetdrill itself.

export { OP, type Reply, type Request, readRequest, requestLength, writeReply } from './frames.ts';
export {
  type DrillResult,
  type Failure,
  type Happening,
  type Observation,
  type Place,
  parseScript,
  type RunOptions,
  runScript,
  ScriptError,
} from './lang/index.ts';
export { PROFILES, type ProfileName, profileName, SUITE_DEFAULTS } from './profiles.ts';
export { Session } from './session.ts';
export { TCP_INFO_LENGTH } from './tcp-info.ts';
