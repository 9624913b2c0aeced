// The pages that the server of the scenario "a real page" serves.

/** One page, picture or style sheet. */
export interface Page {
  readonly type: string;
  readonly text: string;
}

const HEAD = `<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="style.css">`;

const HOME = `${HEAD}
<title>From SYN to FIN</title>
<main>
<img src="wave.svg" alt="Two shores and a wave between them" width="320" height="120">
<h1>From SYN to FIN</h1>
<p>This page came to you in TCP segments. Each of them is on the ladder: the handshake, the request for this text, then
one for its style and one for its picture, all on one connection.</p>
<p lang="zh-CN">这一页是装在 TCP 段里来的。每一段都在时序图上：先握手，再请求这段文字，然后是样式，然后是图片，都走同一条连接。</p>
<p>Drop one of them and load the page again: it takes longer, and it is the same page.
<span lang="zh-CN">丢掉其中一段，再加载一次：慢一些，页面还是这一页。</span></p>
<p><a href="about.html">Another page on the same connection · 同一条连接上的另一页</a></p>
</main>
`;

const ABOUT = `${HEAD}
<title>One connection, many requests</title>
<main>
<h1>One connection, many requests</h1>
<p>HTTP/1.1 keeps a connection for the next request unless somebody says <code>close</code> (RFC 9112 §9.3). So there was
no second handshake for this page.</p>
<p lang="zh-CN">HTTP/1.1 会把连接留给下一个请求，除非有人说 <code>close</code>（RFC 9112 §9.3）。所以这一页没有第二次握手。</p>
<p><a href="./">Back · 返回</a></p>
</main>
`;

const STYLE = `:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 56ch; margin: 0 auto; padding: 16px 20px; }
h1 { font-size: 22px; margin: 12px 0 4px; }
p { margin: 8px 0; }
img { display: block; width: 100%; height: auto; border-radius: 10px; }
a { color: light-dark(#1259c4, #74b5ff); }
`;

/** A wave between two shores, drawn of `count` dots, so that it takes more than one segment. */
function picture(count: number): string {
  const dots: string[] = [];
  for (let i = 0; i < count; i++) {
    const x = Math.round((i * 3200) / count) / 10;
    const y = 60 + Math.round(26 * Math.sin(i / 6));
    dots.push(`<circle cx="${x}" cy="${y}" r="3.2" fill="hsl(${150 + Math.round((i * 70) / count)} 55% 45%)"/>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 120"><rect width="320" height="120" fill="#e4eefc"/>
${dots.join('\n')}
</svg>
`;
}

/** The site, by path. */
export const SITE: Readonly<Record<string, Page>> = {
  '/': { type: 'text/html; charset=utf-8', text: HOME },
  '/about.html': { type: 'text/html; charset=utf-8', text: ABOUT },
  '/style.css': { type: 'text/css', text: STYLE },
  '/wave.svg': { type: 'image/svg+xml', text: picture(64) },
};
