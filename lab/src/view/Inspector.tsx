// The chosen segment from the inside: its octets, a name for each, and its flags bit by bit.

import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { segmentName } from '../i18n/words.ts';
import { type Field, fieldsOf, flagBits, type Layer, printable } from '../model/fields.ts';
import type { Store } from './store.ts';

const LAYERS: readonly Layer[] = ['ip', 'tcp', 'option', 'text'];
/** Octets shown; a full segment is mostly more of the same. */
const MOST = 320;

/** The inspector. */
export function Inspector(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [lit, setLit] = createSignal<Field | null>(null);
  const packet = createMemo(() => {
    const arrow = store.chosenArrow();
    return arrow === null ? undefined : store.packet(arrow.flight.packet);
  });
  const fields = createMemo<readonly Field[]>(() => {
    const bytes = packet()?.bytes;
    const arrow = store.chosenArrow();
    const letters = store.scene()?.letters;
    if (bytes === undefined || arrow === null || letters === undefined || letters === null) return [];
    return fieldsOf(bytes, letters.seq(arrow.crossing), letters.ack(arrow.crossing));
  });
  const owners = createMemo(() => {
    const list: Field[] = [];
    for (const f of fields()) for (let i = f.from; i < f.to; i++) list[i] = f;
    return list;
  });
  const octets = createMemo(() => [...(packet()?.bytes.subarray(0, MOST) ?? [])]);
  const flags = () => store.chosenArrow()?.crossing.flags ?? 0;
  const title = () => {
    const c = store.chosenArrow()?.crossing;
    if (c === undefined) return '';
    return `${store.t('segment', { n: c.packet })}: ${segmentName(c.flags, c.len)}, ${store.t(`role-${c.role}`)}`;
  };
  return (
    <section class="inspector" aria-label={store.t('inspect')}>
      <Show when={fields().length > 0} fallback={<p class="soft">{store.t('inspect-none')}</p>}>
        <p class="subject">{title()}</p>
        <div class="inside">
          <div>
            <h3>{store.t('octets')}</h3>
            <div class="octets" aria-hidden="true">
              <For each={octets()}>
                {(octet, i) => (
                  <span
                    class={owners()[i()]?.layer ?? ''}
                    classList={{ lit: lit() !== null && owners()[i()] === lit() }}
                    title={owners()[i()] === undefined ? '' : store.t(`field-${owners()[i()]!.name}`)}
                    onPointerEnter={() => setLit(owners()[i()] ?? null)}
                    onPointerLeave={() => setLit(null)}
                  >
                    {owners()[i()]?.layer === 'text' ? printable(octet) : octet.toString(16).padStart(2, '0')}
                  </span>
                )}
              </For>
              <Show when={(packet()?.bytes.length ?? 0) > MOST}>
                <span class="more">…</span>
              </Show>
            </div>
            <h3>{store.t('flag-bits')}</h3>
            <ul class="flags">
              <For each={flagBits(flags())}>
                {(bit) => (
                  <li classList={{ set: bit.set }}>
                    <b>
                      {bit.name}={bit.set ? 1 : 0}
                    </b>{' '}
                    {store.t(`flag-${bit.name}`)}
                  </li>
                )}
              </For>
            </ul>
          </div>
          <section class="scroll" aria-label={store.t('fields')} tabindex="0">
            <table class="fields">
              <caption class="hidden">{store.t('fields')}</caption>
              <thead>
                <tr>
                  <th scope="col">{store.t('field')}</th>
                  <th scope="col">{store.t('value')}</th>
                  <th scope="col">{store.t('meaning')}</th>
                </tr>
              </thead>
              <For each={LAYERS}>
                {(layer) => (
                  <Show when={fields().some((f) => f.layer === layer)}>
                    <tbody>
                      <tr class={`layer ${layer}`}>
                        <th colspan="3" scope="rowgroup">
                          {store.t(`layer-${layer}`)}
                        </th>
                      </tr>
                      <For each={fields().filter((f) => f.layer === layer)}>
                        {(field) => (
                          <tr
                            classList={{ lit: lit() === field }}
                            onPointerEnter={() => setLit(field)}
                            onPointerLeave={() => setLit(null)}
                          >
                            <th scope="row">{store.t(`field-${field.name}`)}</th>
                            <td class="value">{field.value}</td>
                            <td>{store.t(`about-${field.name}`)}</td>
                          </tr>
                        )}
                      </For>
                    </tbody>
                  </Show>
                )}
              </For>
            </table>
          </section>
        </div>
      </Show>
    </section>
  );
}
