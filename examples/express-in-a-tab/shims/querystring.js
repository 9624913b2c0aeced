// `node:querystring`: what express parses queries with when nothing else is asked for.

export function parse(text) {
  const found = Object.create(null);
  for (const [key, value] of new URLSearchParams(text ?? '')) {
    found[key] = key in found ? [found[key], value].flat() : value;
  }
  return found;
}

export default { parse };
