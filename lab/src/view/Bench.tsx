// What is below the ladder: one thing at a time to look at more closely, or to change.

import { For, type JSX, Match, Switch } from 'solid-js';
import { TABS, type Tab } from '../model/link.ts';
import { Change } from './Change.tsx';
import { Inside } from './Inside.tsx';
import { Inspector } from './Inspector.tsx';
import { Make } from './Make.tsx';
import { PageFrame } from './PageFrame.tsx';
import { Plot } from './Plot.tsx';
import type { Store } from './store.ts';
import { Tasks } from './Tasks.tsx';
import { Words } from './Words.tsx';

/** The bench, with its tabs. */
export function Bench(props: { store: Store }): JSX.Element {
  const { store } = props;
  const tab = () => store.look().tab;
  let list!: HTMLDivElement;
  const go = (to: Tab) => {
    store.setLook({ tab: to });
    list.querySelector<HTMLButtonElement>(`#tab-${to}`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const here = TABS.indexOf(tab());
    const places: Readonly<Record<string, number>> = {
      ArrowRight: here + 1,
      ArrowLeft: here - 1 + TABS.length,
      Home: 0,
      End: TABS.length - 1,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    go(TABS[place % TABS.length]!);
  };
  return (
    <section class="bench" aria-label={store.t('bench')}>
      <h2 class="hidden">{store.t('bench')}</h2>
      <div class="tabs" role="tablist" aria-label={store.t('bench')} ref={list} onKeyDown={onKeyDown}>
        <For each={TABS}>
          {(name) => (
            <button
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-controls="bench-panel"
              aria-selected={tab() === name}
              tabindex={tab() === name ? 0 : -1}
              onClick={() => store.setLook({ tab: name })}
            >
              {store.t(`tab-${name}`)}
            </button>
          )}
        </For>
      </div>
      <div class="panel" role="tabpanel" id="bench-panel" aria-labelledby={`tab-${tab()}`}>
        <Switch>
          <Match when={tab() === 'segment'}>
            <Inspector store={store} />
          </Match>
          <Match when={tab() === 'inside'}>
            <Inside store={store} />
          </Match>
          <Match when={tab() === 'plot'}>
            <Plot store={store} />
          </Match>
          <Match when={tab() === 'change'}>
            <Change store={store} />
          </Match>
          <Match when={tab() === 'make'}>
            <Make store={store} />
          </Match>
          <Match when={tab() === 'page'}>
            <PageFrame store={store} />
          </Match>
          <Match when={tab() === 'tasks'}>
            <Tasks store={store} />
          </Match>
          <Match when={tab() === 'words'}>
            <Words store={store} />
          </Match>
        </Switch>
      </div>
    </section>
  );
}
