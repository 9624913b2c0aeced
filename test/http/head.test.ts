// The head parser, by section of RFC 9112; every case whole, octet by octet and at every split point.

import { describe, expect, it } from 'vitest';
import { faultStatus, type HttpFault } from '../../src/http/errors.ts';
import { HeadParser } from '../../src/http/head.ts';
import { bytesOf, trHead } from './tr.ts';

const HOST = 'Host: a\r\n';

function request(text: string): ReturnType<typeof trHead> {
  return trHead('request', text);
}

/** `[what, octets, fault, status]`. */
type Bad = [string, string, HttpFault, number];

function refused(cases: Bad[]): void {
  it.each(cases)('%s', (_what, text, fault, status) => {
    expect(request(text)).toMatchObject({ result: 'fault', fault });
    expect(faultStatus(fault)).toBe(status);
  });
}

describe('request line (RFC 9112 §3)', () => {
  it('gives method, target and version, and leaves what follows the head', () => {
    expect(request(`GET /a?b=c HTTP/1.1\r\n${HOST}\r\nBODY`)).toEqual({
      result: 'done',
      fault: '',
      start: 'GET /a?b=c 1.1 origin',
      fields: [['Host', 'a']],
      rest: 4,
    });
  });
  it('takes 1.0 without Host (§3.2 binds 1.1)', () => {
    expect(request('GET / HTTP/1.0\r\n\r\n')).toMatchObject({ result: 'done', start: 'GET / 1.0 origin' });
  });
  it('delivers extension methods with their case (RFC 9110 §9.1)', () => {
    expect(request(`get / HTTP/1.1\r\n${HOST}\r\n`).start).toBe('get / 1.1 origin');
    expect(request(`M-SEARCH!# / HTTP/1.1\r\n${HOST}\r\n`).start).toBe('M-SEARCH!# / 1.1 origin');
  });
  it('ignores empty lines before it (§2.2)', () => {
    expect(request(`\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`).start).toBe('GET / 1.1 origin');
  });
  refused([
    ['a bare LF before it (§2.2)', `\nGET / HTTP/1.1\r\n${HOST}\r\n`, 'bare-lf', 400],
    ['a bare CR before it (§2.2)', `\rGET / HTTP/1.1\r\n${HOST}\r\n`, 'bare-cr', 400],
    ['white space before the method', ` GET / HTTP/1.1\r\n${HOST}\r\n`, 'bad-method', 400],
    ['a method that is no token', `G(T / HTTP/1.1\r\n${HOST}\r\n`, 'bad-method', 400],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 'bad-method', 400],
    ['two spaces after the method', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 'bad-target', 400],
    ['two spaces before the version', `GET /  HTTP/1.1\r\n${HOST}\r\n`, 'bad-version', 400],
    ['a tab as separator', `GET\t/ HTTP/1.1\r\n${HOST}\r\n`, 'bad-method', 400],
    ['a space at the end', `GET / HTTP/1.1 \r\n${HOST}\r\n`, 'bad-version', 400],
    ['HTTP/0.9', 'GET /\r\n', 'no-version', 400],
    ['a version in lower case (§2.3)', `GET / http/1.1\r\n${HOST}\r\n`, 'bad-version', 400],
    ['two minor digits (§2.3)', `GET / HTTP/1.10\r\n${HOST}\r\n`, 'bad-version', 400],
    ['HTTP/2.0 (§2.3)', `GET / HTTP/2.0\r\n${HOST}\r\n`, 'unsupported-version', 505],
    ['HTTP/0.9 with its name', `GET / HTTP/0.9\r\n${HOST}\r\n`, 'unsupported-version', 505],
    ['HTTP/1.2 unless the policy allows it', `GET / HTTP/1.2\r\n${HOST}\r\n`, 'unsupported-version', 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'unsupported-version', 505],
    ['a bare LF at the end (§2.2)', `GET / HTTP/1.1\n${HOST}\r\n`, 'bare-lf', 400],
    ['a bare CR at the end (§2.2)', `GET / HTTP/1.1\r${HOST}\r\n`, 'bare-cr', 400],
    ['a control in the target', `GET /\x01 HTTP/1.1\r\n${HOST}\r\n`, 'bad-target', 400],
    ['NUL in the target', `GET /\0 HTTP/1.1\r\n${HOST}\r\n`, 'bad-target', 400],
    ['obs-text in the target', `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`, 'bad-target', 400],
    ['a fragment in the target (§3.2)', `GET /#a HTTP/1.1\r\n${HOST}\r\n`, 'bad-target', 400],
  ]);
});

describe('request target (RFC 9112 §3.2)', () => {
  it.each([
    ['GET /a;b=c/../d?e=|{} HTTP/1.1', 'origin'],
    ['GET http://example.org/ HTTP/1.1', 'absolute'],
    ['GET http://example.org HTTP/1.1', 'absolute'],
    ['GET http://[::1]:80?q HTTP/1.1', 'absolute'],
    ['OPTIONS * HTTP/1.1', 'asterisk'],
    ['OPTIONS http://example.org HTTP/1.1', 'absolute'],
    ['CONNECT example.org:443 HTTP/1.1', 'authority'],
    ['CONNECT [fe80::1]:443 HTTP/1.1', 'authority'],
  ])('%s is in %s-form', (line, form) => {
    expect(request(`${line}\r\n${HOST}\r\n`).start.split(' ')[3]).toBe(form);
  });
  it.each([
    ['GET * HTTP/1.1', 'asterisk-form belongs to OPTIONS (§3.2.4)'],
    ['GET example.org:80 HTTP/1.1', 'authority-form belongs to CONNECT (§3.2.3)'],
    ['GET index.html HTTP/1.1', 'a relative reference'],
    ['CONNECT / HTTP/1.1', 'CONNECT without authority'],
    ['CONNECT example.org HTTP/1.1', 'CONNECT without port'],
    ['CONNECT example.org:0 HTTP/1.1', 'CONNECT to port 0'],
    ['CONNECT example.org:65536 HTTP/1.1', 'CONNECT to no port'],
    ['CONNECT :443 HTTP/1.1', 'CONNECT without host'],
    ['CONNECT http://example.org:443 HTTP/1.1', 'CONNECT with a URI'],
    ['GET http:///a HTTP/1.1', 'an empty host (RFC 9110 §4.2.1)'],
    ['GET http://u@example.org/ HTTP/1.1', 'userinfo (RFC 9110 §4.2.4)'],
    ['GET http://:80/ HTTP/1.1', 'a port alone'],
    ['GET 1http://a/ HTTP/1.1', 'a scheme that starts with a digit'],
  ])('refuses %s: %s', (line) => {
    expect(request(`${line}\r\n${HOST}\r\n`)).toMatchObject({ result: 'fault', fault: 'bad-target' });
  });
});

describe('Host (RFC 9112 §3.2)', () => {
  it.each(['', 'a', 'a:80', 'a:', '127.0.0.1:8080', '[::1]', '[::ffff:1.2.3.4]:1', '[v1.a:b]', 'a%20b', 'x_y'])(
    'takes %j',
    (host) => {
      expect(request(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatchObject({ result: 'done' });
    },
  );
  it.each([
    'a/b',
    'a b',
    'a:b',
    'a:80:80',
    'a:99999',
    'u@a',
    '[::1',
    '[::1]x',
    '[1:2]',
    '[1:2:3::4:5:6::7:8]',
    '[]',
    'a, b',
    '%zz',
    'é',
    'a?b',
  ])('refuses %j with 400', (host) => {
    expect(request(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatchObject({ fault: 'bad-host' });
  });
  it('refuses an invalid Host in a 1.0 request and beside an absolute target too', () => {
    expect(request('GET / HTTP/1.0\r\nHost: a/b\r\n\r\n').fault).toBe('bad-host');
    expect(request('GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n').fault).toBe('bad-host');
    expect(request('GET http://a/ HTTP/1.1\r\n\r\n').fault).toBe('no-host');
  });
  refused([
    ['none in 1.1', 'GET / HTTP/1.1\r\n\r\n', 'no-host', 400],
    ['two', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 'many-hosts', 400],
    ['two in 1.0', `GET / HTTP/1.0\r\n${HOST}host: b\r\n\r\n`, 'many-hosts', 400],
  ]);
  it('follows the policy where it is lax', () => {
    const two = 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n';
    expect(trHead('request', two, {}, { firstHost: true })).toMatchObject({ result: 'done' });
    expect(trHead('request', 'GET / HTTP/1.1\r\n\r\n', {}, { noHost: true })).toMatchObject({ result: 'done' });
    expect(trHead('request', `GET / HTTP/1.3\r\n${HOST}\r\n`, {}, { laterMinor: true }).start).toBe('GET / 1.1 origin');
    expect(trHead('request', `GET / HTTP/2.0\r\n${HOST}\r\n`, {}, { laterMinor: true }).result).toBe('fault');
  });
});

describe('field lines (RFC 9112 §5)', () => {
  const line = (text: string): string => `GET / HTTP/1.1\r\n${HOST}${text}\r\n`;
  it('keeps names as spelled, order, duplicates and inner white space; trims around values (§5.1)', () => {
    const lines = 'X-a: 1\r\nconnection:close\r\nX-A:\t 2  3 \t\r\nEmpty:\r\nEmpty2: \t\r\nCONTENT-TYPE: é\r\n';
    expect(request(line(lines)).fields.slice(1)).toEqual([
      ['X-a', '1'],
      ['connection', 'close'],
      ['X-A', '2  3'],
      ['Empty', ''],
      ['Empty2', ''],
      ['CONTENT-TYPE', 'é'],
    ]);
  });
  refused([
    ['a space before the colon (§5.1)', line('X : 1\r\n'), 'space-before-colon', 400],
    ['a tab before the colon (§5.1)', line('X\t: 1\r\n'), 'space-before-colon', 400],
    ['no colon', line('X\r\n'), 'bad-field-name', 400],
    ['an empty name', line(': 1\r\n'), 'bad-field-name', 400],
    ['a name that is no token', line('X(y): 1\r\n'), 'bad-field-name', 400],
    ['obs-text in a name', line('Xé: 1\r\n'), 'bad-field-name', 400],
    ['obs-fold (§5.2)', line('X: 1\r\n 2\r\n'), 'obs-fold', 400],
    ['obs-fold with a tab (§5.2)', line('X: 1\r\n\t2\r\n'), 'obs-fold', 400],
    ['white space before the first field (§2.2)', `GET / HTTP/1.1\r\n ${HOST}\r\n`, 'obs-fold', 400],
    ['a bare LF after a value (§2.2)', line('X: 1\nY: 2\r\n'), 'bare-lf', 400],
    ['a bare LF after a name', line('X\n'), 'bare-lf', 400],
    ['a bare CR in a value (§2.2)', line('X: 1\r2\r\n'), 'bare-cr', 400],
    ['a bare CR at the empty line', line('\rX'), 'bare-cr', 400],
    ['a bare LF as the empty line', `GET / HTTP/1.1\r\n${HOST}\n`, 'bare-lf', 400],
    ['NUL in a value (RFC 9110 §5.5)', line('X: a\0b\r\n'), 'bad-field-value', 400],
    ['BEL in a value (RFC 9110 §5.5)', line('X: test\x07\r\n'), 'bad-field-value', 400],
    ['DEL in a value', line('X: \x7f\r\n'), 'bad-field-value', 400],
  ]);
});

describe('status line (RFC 9112 §4)', () => {
  const response = (text: string): ReturnType<typeof trHead> => trHead('response', text);
  it('gives version, code and reason', () => {
    const text = 'HTTP/1.0 404 Not \xe9 Found\r\nA: b\r\n\r\nxyz';
    expect(response(text)).toMatchObject({ result: 'done', start: '1.0 404 Not \xe9 Found', rest: 3 });
  });
  it('takes an empty reason, with and without the space before it', () => {
    expect(response('HTTP/1.1 200 \r\n\r\n').start).toBe('1.1 200 ');
    expect(response('HTTP/1.1 200\r\n\r\n').start).toBe('1.1 200 ');
    expect(trHead('response', 'HTTP/1.1 200\r\n\r\n', {}, { shortStatusLine: false }).fault).toBe('bad-status-line');
  });
  it.each([
    ['HTTP/1.1 20 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1 099 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1 +20 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'unsupported-version'],
    ['ICY 200 OK\r\n\r\n', 'bad-status-line'],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1 200 O\0K\r\n\r\n', 'bad-status-line'],
    ['HTTP/1.1 200 OK\n\r\n', 'bare-lf'],
    ['HTTP/1.1 200 OK\rX', 'bare-cr'],
  ])('refuses %j', (text, fault) => {
    expect(response(text)).toMatchObject({ result: 'fault', fault });
  });
});

describe('limits', () => {
  it('answers a target beyond the limit with 414 before its end has come', () => {
    expect(trHead('request', `GET /${'a'.repeat(20)}`, { target: 20 })).toMatchObject({ fault: 'target-too-long' });
    expect(trHead('request', `GET /${'a'.repeat(19)} HTTP/1.1\r\n${HOST}\r\n`, { target: 20 }).result).toBe('done');
    expect(trHead('request', `GET /${'a'.repeat(60)}`, { head: 40 })).toMatchObject({ fault: 'target-too-long' });
  });
  it('answers a method beyond the limit with 501', () => {
    expect(trHead('request', 'A'.repeat(9), { method: 8 })).toMatchObject({ fault: 'method-too-long' });
  });
  it('answers a head beyond the limit with 431, and takes one that fills it', () => {
    const head = `GET / HTTP/1.1\r\n${HOST}A: ${'b'.repeat(30)}\r\n\r\n`;
    expect(trHead('request', head, { head: head.length })).toMatchObject({ result: 'done' });
    expect(trHead('request', head, { head: head.length - 1 })).toMatchObject({ fault: 'head-too-large' });
    expect(trHead('request', '\r\n'.repeat(30), { head: 50 })).toMatchObject({ fault: 'head-too-large' });
  });
  it('answers too many fields with 431', () => {
    const head = `GET / HTTP/1.1\r\n${HOST}A: 1\r\nB: 2\r\n\r\n`;
    expect(trHead('request', head, { fields: 3 })).toMatchObject({ result: 'done' });
    expect(trHead('request', head, { fields: 2 })).toMatchObject({ fault: 'too-many-fields' });
  });
  it('takes many fields', () => {
    const lines = Array.from({ length: 120 }, (_, i) => `N${i}: ${i}`).join('\r\n');
    const parser = new HeadParser('request');
    const bytes = bytesOf(`GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n`);
    expect(parser.feed(bytes, 0, bytes.length)).toBe(bytes.length);
    expect(parser.fields.get('n119')).toBe('119');
  });
});

describe('a parser that is used again', () => {
  it('parses one head after the other, whole and in pieces, and keeps nothing of the last', () => {
    const parser = new HeadParser('request');
    const one = bytesOf(`POST /one HTTP/1.0\r\nA: 1\r\n\r\n`);
    const two = bytesOf(`GET /two HTTP/1.1\r\n${HOST}\r\n`);
    for (const cut of [one.length, 5]) {
      expect(parser.feed(one, 0, cut)).toBe(cut);
      parser.feed(one, cut, one.length);
      const first = parser.fields;
      expect([parser.result, parser.method, parser.minor]).toEqual(['done', 'POST', 0]);
      expect(parser.feed(two, 0, two.length)).toBe(0);
      parser.reset();
      parser.feed(two, 0, two.length);
      expect([parser.result, parser.target, parser.minor, parser.fields.length]).toEqual(['done', '/two', 1, 1]);
      expect(first.get('a')).toBe('1');
      parser.reset();
    }
  });
});
