// The public names of the room.

export { OP, type Reply, type Request, readRequest, requestLength, writeReply } from './frames.ts';
export { PROFILES, type ProfileName, profileName, SUITE_DEFAULTS } from './profiles.ts';
export { Session } from './session.ts';
export { TCP_INFO_LENGTH } from './tcp-info.ts';
