// The colours: as the system has them, or as the visitor chose.

import { createEffect, createSignal, For, type JSX } from 'solid-js';
import type { Store } from './store.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
const THEME_KEY = 'synfin-lab-theme';

function storedTheme(): string {
  try {
    return localStorage.getItem(THEME_KEY) ?? 'auto';
  } catch (error) {
    // Storage may be forbidden; the theme is then the system's until it is chosen again.
    if (error instanceof DOMException) return 'auto';
    throw error;
  }
}

/** The choice of colours. */
export function Theme(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [theme, setTheme] = createSignal(storedTheme());
  createEffect(() => {
    document.documentElement.dataset['theme'] = theme();
    try {
      localStorage.setItem(THEME_KEY, theme());
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  });
  return (
    <label class="theme">
      <span>{store.t('theme')}</span>
      <select value={theme()} onChange={(event) => setTheme(event.currentTarget.value)}>
        <For each={THEMES}>{(name) => <option value={name}>{store.t(`theme-${name}`)}</option>}</For>
      </select>
    </label>
  );
}
