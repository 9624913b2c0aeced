// A frame with a page in it that came through the run's own HTTP and TCP.

import { For, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { scenarioOf } from '../model/scenarios.ts';
import { createPageLoader } from './frame.ts';
import type { Store } from './store.ts';

function Loaded(props: { store: Store }): JSX.Element {
  const { store } = props;
  const loader = createPageLoader(store);
  const took = () => {
    const n = loader.loaded().length;
    return store.t('page-took', { n, t: timeText(Math.max(...loader.loaded().map((a) => a.at))) });
  };
  return (
    <>
      <p class="soft">{store.t('page-about')}</p>
      <Show when={loader.address() !== null} fallback={<p>{store.t('page-none')}</p>}>
        <p class="row">
          <button type="button" class="strong" onClick={() => loader.load()}>
            {store.t(loader.address() === '' ? 'page-open' : 'page-again')}
          </button>
          <span role="status">{loader.loaded().length === 0 ? '' : took()}</span>
        </p>
        <Show when={loader.address()}>
          {(address) => (
            <div class="framed">
              <iframe src={address()} title={store.t('page-frame')} sandbox="allow-same-origin" />
              <section aria-label={store.t('page-list')}>
                <h3>{store.t('page-list')}</h3>
                <ol>
                  <For each={loader.loaded()}>
                    {(answer) => (
                      <li>
                        <span class="when">{timeText(answer.at)}</span>{' '}
                        <span class="value">
                          GET {answer.target} {answer.status === 0 ? store.t('page-failed') : answer.status}
                        </span>{' '}
                        <span class="soft">{answer.body.length} B</span>
                      </li>
                    )}
                  </For>
                </ol>
              </section>
            </div>
          )}
        </Show>
      </Show>
    </>
  );
}

/** The frame, in the scenario that has a browser and a web server. */
export function PageFrame(props: { store: Store }): JSX.Element {
  const { store } = props;
  return (
    <Show
      when={scenarioOf(store.spec().scenario).web}
      fallback={
        <p class="row">
          <button type="button" class="strong" onClick={() => store.open('page')}>
            {store.t('title-page')}
          </button>
        </p>
      }
    >
      <Loaded store={store} />
    </Show>
  );
}
