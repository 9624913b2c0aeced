// Exercises: what to bring about, a hint for who asks for it, and whether the run has come to it.

import { For, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { EXERCISES } from '../model/exercises.ts';
import { positionAt } from '../model/timeline.ts';
import type { Store } from './store.ts';

/** Whether the exercise that is being done is done. */
export function TaskStatus(props: { store: Store }): JSX.Element {
  const { store } = props;
  return (
    <Show when={store.exercise()}>
      {(task) => (
        <div class="task-now" classList={{ done: store.doneAt() >= 0 }}>
          <p>
            <span class="tag">{store.t('task-now')}</span> {store.t(`task-${task().id}`)}{' '}
            <b role="status">
              {store.doneAt() >= 0 ? store.t('task-done', { t: timeText(store.doneAt()) }) : store.t('task-not-yet')}
            </b>
          </p>
          <p class="row">
            <Show when={store.doneAt() >= 0 && store.timeline()}>
              {(line) => (
                <button type="button" onClick={() => store.seek(positionAt(line(), store.doneAt()))}>
                  {timeText(store.doneAt())}
                </button>
              )}
            </Show>
            <button type="button" onClick={() => store.begin('')}>
              {store.t('task-leave')}
            </button>
          </p>
        </div>
      )}
    </Show>
  );
}

/** All exercises. */
export function Tasks(props: { store: Store }): JSX.Element {
  const { store } = props;
  return (
    <>
      <p class="soft">{store.t('tasks-about')}</p>
      <ol class="tasks">
        <For each={EXERCISES}>
          {(task) => (
            <li classList={{ doing: store.exercise() === task }}>
              <p>{store.t(`task-${task.id}`)}</p>
              <details>
                <summary>{store.t('task-hint')}</summary>
                <p class="soft">{store.t(`task-${task.id}-hint`)}</p>
              </details>
              <Show
                when={store.exercise() !== task}
                fallback={
                  <b>
                    {store.doneAt() >= 0
                      ? store.t('task-done', { t: timeText(store.doneAt()) })
                      : store.t('task-doing')}
                  </b>
                }
              >
                <button
                  type="button"
                  aria-label={`${store.t('task-begin')}: ${store.t(`task-${task.id}`)}`}
                  onClick={() => store.begin(task.id)}
                >
                  {store.t('task-begin')}
                </button>
              </Show>
            </li>
          )}
        </For>
      </ol>
    </>
  );
}
