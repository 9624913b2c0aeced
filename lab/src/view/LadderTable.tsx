// The ladder once more, as a table: for those who read it with their ears, and for copying.

import { createSignal, For, Index, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { marksOf, segmentWords } from '../i18n/words.ts';
import type { Arrow } from '../model/moment.ts';
import type { Store } from './store.ts';

function Row(props: { store: Store; arrow: Arrow }): JSX.Element {
  const { store } = props;
  const c = () => props.arrow.crossing;
  const flight = () => props.arrow.flight;
  const progress = () => store.progress(props.arrow);
  const name = () => {
    const { stray } = props.arrow;
    return [...segmentWords(c(), store.scene()?.letters ?? null, stray !== ''), stray].join(' ');
  };
  const stateOf = (end: 'client' | 'server') => (flight().from === end ? c().sentState : c().arrivedState);
  const fate = () =>
    [
      store.t(`fate-${progress().status}`),
      ...marksOf(store.lang(), c(), flight().twice && store.p() >= flight().copyP, 'arrived'),
    ].join(', ');
  return (
    <tr classList={{ lit: store.look().chosen === flight().packet }}>
      <td>{c().packet}</td>
      <td>{timeText(flight().sentAt)}</td>
      <td>{store.t(flight().from)}</td>
      <td class="value">{name()}</td>
      <td>{store.t(`role-${c().role}`)}</td>
      <td>{progress().status === 'arrived' ? timeText(flight().endAt) : '\u2013'}</td>
      <td>{stateOf('client')}</td>
      <td>{stateOf('server')}</td>
      <td>{fate()}</td>
      <td class="said">
        <For each={store.story()?.of(c()) ?? []}>{(line) => <p>{line.text}</p>}</For>
      </td>
    </tr>
  );
}

/** The table. */
export function LadderTable(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [open, setOpen] = createSignal(false);
  const columns = ['n', 'sent', 'from', 'segment', 'role', 'arrived', 'client', 'server', 'fate', 'said'] as const;
  return (
    <details class="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{store.t('table')}</summary>
      <section class="scroll" aria-label={store.t('table')} tabindex="0">
        <table>
          <thead>
            <tr>
              <For each={columns}>{(column) => <th scope="col">{store.t(`column-${column}`)}</th>}</For>
            </tr>
          </thead>
          <tbody>
            <Show when={open()}>
              <Index each={store.scene()?.arrows ?? []}>{(arrow) => <Row store={store} arrow={arrow()} />}</Index>
            </Show>
          </tbody>
        </table>
      </section>
    </details>
  );
}
