// The page of the demonstration: HTML of exactly the wanted size, its end kept for the server's last words.

/** Octets that the server keeps for the end. */
export const LAST_WORDS = 204;

const HEAD = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>From SYN to FIN</title></head>
<body>
<h1>From SYN to FIN</h1>
`;
const TAIL = `<p>One more thing, now that you are done: a pipe that ends in one direction is still open in the other.</p>
</body>
</html>
`;

function paragraph(n: number): string {
  return `<p>${n}. Every octet of this page has a number of its own, and none is believed before it is acknowledged.</p>\n`;
}

/** A page of `size` octets, ASCII, the same every time; a page too small for its parts is cut. */
export function makePage(size: number): Uint8Array {
  const parts: string[] = [HEAD];
  let length = HEAD.length + TAIL.length;
  for (let n = 1; length < size; n++) {
    const text = paragraph(n);
    // What is left over becomes white space, which HTML does not mind.
    const fits = length + text.length <= size;
    parts.push(fits ? text : ' '.repeat(size - length));
    length += fits ? text.length : size - length;
  }
  parts.push(TAIL);
  const text = parts.join('');
  const page = new Uint8Array(size);
  for (let i = 0; i < size; i++) page[i] = text.charCodeAt(i);
  return page;
}
