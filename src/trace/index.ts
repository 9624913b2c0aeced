// The public names of the trace room.

export {
  type Capture,
  type CapturedPacket,
  type CaptureInterface,
  type CaptureProblem,
  type CaptureProblemReason,
  readCapture,
} from './capture.ts';
export { type Catalog, fill, type Lang, type MessageKey, type Places } from './catalog.ts';
export { CATALOG_EN } from './catalog-en.ts';
export { CATALOG_ZH } from './catalog-zh.ts';
export {
  type AgainWhy,
  type Conversation,
  type ConversationOptions,
  type Crossing,
  type EndNumbers,
  type Fate,
  otherSide,
  type Role,
  readConversation,
  type Side,
} from './conversation.ts';
export { type FigurePart, sequenceFigure, storyFigure } from './figures.ts';
export { drawLadder, flagWords, type LadderOptions, ladder, type Part } from './ladder.ts';
export { type Letters, letters } from './letters.ts';
export { LiveLadder } from './live.ts';
export { ALIASES, type Alias, aliasTable } from './names.ts';
export {
  catalogOf,
  isLastWord,
  type Line,
  type Narration,
  type NarrationOptions,
  narrate,
} from './narration.ts';
export {
  DIRECTION_IN,
  DIRECTION_OUT,
  DIRECTION_UNKNOWN,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  type PcapngOptions,
  PcapngWriter,
} from './pcapng.ts';
export { stateFigure } from './state-diagram.ts';
export { type Figure, INK, STATE_INK, stack, svgFile, type TextLook, text as svgText } from './svg.ts';
export { codePointWidth, padEnd, padStart, textWidth, truncate, wrap } from './width.ts';
