// The glossary, and the table of the names that states have elsewhere.

import { For, type JSX } from 'solid-js';
import { ALIASES, CATALOG_EN, CATALOG_ZH } from 'synfin/trace';
import { GUIDE_EN } from '../i18n/guide-en.ts';
import type { TextKey } from '../i18n/texts.ts';
import type { Store } from './store.ts';

type WordKey = Extract<keyof typeof GUIDE_EN, `word-${string}`>;

/** The words that are explained, in the order of the catalogue: each has a second text, its meaning. */
const WORDS = (Object.keys(GUIDE_EN) as TextKey[]).filter(
  (key): key is WordKey => key.startsWith('word-') && !key.endsWith('-is'),
);

/** The glossary. */
export function Words(props: { store: Store }): JSX.Element {
  const { store } = props;
  const catalog = () => (store.lang() === 'zh' ? CATALOG_ZH : CATALOG_EN);
  return (
    <>
      <p class="soft">{store.t('words-about')}</p>
      <table class="aliases">
        <caption>{store.t('words-table')}</caption>
        <thead>
          <tr>
            <th scope="col">{store.t('words-met')}</th>
            <th scope="col">{store.t('words-rfc')}</th>
            <th scope="col">{store.t('words-remark')}</th>
          </tr>
        </thead>
        <tbody>
          <For each={ALIASES}>
            {(alias) => (
              <tr>
                <td class="value">{alias.met.join(', ')}</td>
                <th scope="row" class="value">
                  {alias.rfc}
                </th>
                <td>{catalog()[alias.remark]}</td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <dl class="glossary">
        <For each={WORDS}>
          {(word) => (
            <div>
              <dt>{store.t(word)}</dt>
              <dd>{store.t(`${word}-is` as TextKey)}</dd>
            </div>
          )}
        </For>
      </dl>
    </>
  );
}
