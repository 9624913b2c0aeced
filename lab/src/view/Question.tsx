// A question where it stands: three answers to choose from, and then why.

import { createMemo, For, type JSX, Show } from 'solid-js';
import { CHOICES } from '../model/questions.ts';
import type { Store } from './store.ts';

const NUMBERS = Array.from({ length: CHOICES }, (_, i) => (i + 1) as 1 | 2 | 3);

/** The card; nothing where there is no question. */
export function QuestionCard(props: { store: Store }): JSX.Element {
  const { store } = props;
  const { asking } = store;
  const question = createMemo(() => asking.here()?.question ?? null);
  const right = () => question()?.right ?? 1;
  return (
    <Show when={question()}>
      {(q) => (
        <section class="question" aria-label={store.t('question')}>
          <p class="asked">{store.t(`ask-${q().id}`)}</p>
          <div class="choices">
            <For each={NUMBERS}>
              {(n) => (
                <button
                  type="button"
                  classList={{
                    right: asking.given() > 0 && n === right(),
                    wrong: asking.given() === n && n !== right(),
                  }}
                  aria-pressed={asking.given() === n}
                  disabled={asking.given() > 0}
                  onClick={() => asking.answer(n)}
                >
                  {store.t(`ask-${q().id}-${n}`)}
                </button>
              )}
            </For>
            <Show when={asking.given() === 0}>
              <button type="button" class="later" onClick={() => store.play(true)}>
                {store.t('not-now')}
              </button>
            </Show>
          </div>
          <p class="verdict" role="status">
            <Show when={asking.given() > 0}>
              <b>
                {asking.given() === right()
                  ? store.t('right')
                  : store.t('wrong', { answer: store.t(`ask-${q().id}-${right()}`) })}
              </b>{' '}
              {store.t(`ask-${q().id}-why`)}
            </Show>
          </p>
          <Show when={asking.given() > 0}>
            <p class="on">
              <button type="button" class="strong" onClick={() => store.play(true)}>
                {store.t('go-on')}
              </button>
            </p>
          </Show>
        </section>
      )}
    </Show>
  );
}
