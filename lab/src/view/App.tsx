// The page: head, scenarios, two hosts with the ladder between, and what explains them.

import { createSignal, For, type JSX, Show } from 'solid-js';
import { knobWords } from '../i18n/words.ts';
import type { Chapter } from '../model/scenario.ts';
import { SCENARIOS, scenarioOf } from '../model/scenarios.ts';
import { Bench } from './Bench.tsx';
import { standing } from './Change.tsx';
import { Controls } from './Controls.tsx';
import { EndPanel, StateBadge } from './EndPanel.tsx';
import { Ladder } from './Ladder.tsx';
import { LadderTable } from './LadderTable.tsx';
import { More } from './More.tsx';
import { QuestionCard } from './Question.tsx';
import { Deeds, NowAndNext, Story } from './Story.tsx';
import { createStore, type Store } from './store.ts';
import { TaskStatus } from './Tasks.tsx';

const CHAPTERS: readonly Chapter[] = ['life', 'opening', 'data', 'closing', 'abrupt'];
function Head(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [copied, setCopied] = createSignal(false);
  const share = async () => {
    const url = new URL(store.link(), location.href).href;
    history.replaceState(null, '', url);
    // Without a clipboard (plain http elsewhere than on this machine) the address bar has it.
    if (navigator.clipboard !== undefined) await navigator.clipboard.writeText(url).catch(() => null);
    setCopied(true);
    setTimeout(() => setCopied(false), 2500);
  };
  return (
    <header class="head">
      <a class="skip" href="#ladder">
        {store.t('skip')}
      </a>
      <h1>{store.t('title')}</h1>
      <Scenarios store={store} />
      <div class="tools">
        <span class="copied" role="status">
          {copied() ? store.t('shared') : ''}
        </span>
        <button type="button" onClick={share}>
          {store.t('share')}
        </button>
        <More store={store} />
        <fieldset class="langs">
          <legend class="hidden">{store.t('language')}</legend>
          <button type="button" lang="en" aria-pressed={store.lang() === 'en'} onClick={() => store.setLang('en')}>
            EN
          </button>
          <button type="button" lang="zh" aria-pressed={store.lang() === 'zh'} onClick={() => store.setLang('zh')}>
            中文
          </button>
        </fieldset>
      </div>
    </header>
  );
}

function Scenarios(props: { store: Store }): JSX.Element {
  const { store } = props;
  const current = () => scenarioOf(store.spec().scenario);
  return (
    <label class="scenario">
      <span class="hidden">{store.t('scenario')}</span>
      <select value={current().id} onChange={(event) => store.open(event.currentTarget.value)}>
        <For each={CHAPTERS}>
          {(chapter) => (
            <optgroup label={store.t(`chapter-${chapter}`)}>
              <For each={SCENARIOS.filter((s) => s.chapter === chapter)}>
                {(s) => (
                  <option value={s.id} selected={s.id === current().id}>
                    {store.t(`title-${s.id}`)}
                  </option>
                )}
              </For>
            </optgroup>
          )}
        </For>
      </select>
    </label>
  );
}

/** The path between the hosts, as it is now; a way to change it. */
function Path(props: { store: Store }): JSX.Element {
  const { store } = props;
  const what = () => {
    const loss = standing(store, 'loss', '');
    const rate = standing(store, 'rate', '');
    const parts = [store.t('path', { n: standing(store, 'delay', '') })];
    if (rate > 0) parts.push(knobWords(store.lang(), 'rate', rate));
    if (loss > 0) parts.push(`${store.t('knob-loss')} ${loss} %`);
    return parts.join(', ');
  };
  return (
    <button
      type="button"
      class="path"
      aria-label={store.t('path-change', { what: what() })}
      onClick={() => {
        store.setLook({ tab: 'change' });
        document.getElementById('bench-panel')?.scrollIntoView({ block: 'nearest' });
      }}
    >
      {what()}
    </button>
  );
}

/** The page. */
export function App(): JSX.Element {
  const store = createStore();
  return (
    <>
      <Head store={store} />
      <main>
        <p class="intro">{store.t(`intro-${scenarioOf(store.spec().scenario).id}`)}</p>
        <TaskStatus store={store} />
        <Show when={store.error() !== ''}>
          <p class="failed" role="alert">
            {store.t('failed', { why: store.error() })}
          </p>
        </Show>
        <Show when={store.record() !== null} fallback={<p class="loading">{store.t('loading')}</p>}>
          <div class="stage">
            <EndPanel store={store} end="client" />
            <div class="middle" id="ladder">
              <div class="hosts">
                <StateBadge store={store} end="client" />
                <Path store={store} />
                <StateBadge store={store} end="server" />
              </div>
              <Ladder store={store} />
              <Show when={store.asking.here() !== null} fallback={<Story store={store} />}>
                <QuestionCard store={store} />
              </Show>
              <Controls store={store} />
              <NowAndNext store={store} />
            </div>
            <EndPanel store={store} end="server" />
          </div>
          <div class="below">
            <Deeds store={store} />
            <Bench store={store} />
          </div>
          <LadderTable store={store} />
        </Show>
      </main>
      <footer>
        <p>
          {store.t('tagline')} {store.t('about')}
        </p>
      </footer>
    </>
  );
}
