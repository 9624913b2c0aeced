// The eleven states of one end, with the live one lit and the edges it has taken.

import { createMemo, For, type JSX, Show } from 'solid-js';
import type { Edge } from 'synfin';
import type { End } from '../model/scenario.ts';
import { BOX_HEIGHT, BOX_WIDTH, type Box, boxOf, HEIGHT, PLACES, ROUTES, routeOf, WIDTH } from './diagram-layout.ts';
import type { Store } from './store.ts';

const BOXES = Object.keys(PLACES) as Box[];

const same = (a: Edge, b: Edge): boolean => a.from === b.from && a.to === b.to && a.cause === b.cause;

/** The diagram. */
export function StateDiagram(props: { store: Store; end: End }): JSX.Element {
  const view = createMemo(() => props.store.scene()?.ends[props.end] ?? null);
  const edges = createMemo(() => view()?.edges ?? []);
  const last = createMemo(() => edges().at(-1) ?? null);
  const live = createMemo<Box>(() => {
    const edge = last();
    return edge === null ? 'CLOSED' : boxOf(edge);
  });
  const been = createMemo(() => new Set<Box>(edges().flatMap((e) => [e.from, boxOf(e)])));
  const taken = (edge: Edge) => edges().some((e) => same(e, edge));
  /** An edge that is drawn only because it was taken: resets, aborts, time-outs. */
  const extra = createMemo(() => {
    const edge = last();
    return edge === null || ROUTES.some((r) => same(r.edge, edge)) ? null : routeOf({ ...edge });
  });
  const label = () => {
    const who = props.store.t(props.end);
    const way = edges().map((e) => `${e.from} \u2192 ${e.to} (${e.cause})`);
    return props.store.t('states-label', {
      who,
      state: view()?.state ?? 'CLOSED',
      way: way.length === 0 ? props.store.t('no-way') : way.join(', '),
    });
  };
  const id = `head-${props.end}`;
  return (
    <svg class={`states ${props.end}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label()}>
      <defs>
        <For each={['idle', 'taken', 'last']}>
          {(kind) => (
            <marker
              id={`${id}-${kind}`}
              class={`arrowhead ${kind}`}
              viewBox="0 0 10 10"
              refX="9"
              refY="5"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 1L10 5L0 9z" />
            </marker>
          )}
        </For>
      </defs>
      <For each={ROUTES}>
        {(route) => {
          const kind = () => {
            const edge = last();
            if (edge !== null && same(edge, route.edge)) return 'last';
            return taken(route.edge) ? 'taken' : 'idle';
          };
          return (
            <path
              class={`edge ${kind()}`}
              classList={{ rare: !route.usual }}
              d={route.path}
              marker-end={`url(#${id}-${kind()})`}
            >
              <title>{`${route.edge.from} \u2192 ${route.edge.to}: ${route.edge.cause}`}</title>
            </path>
          );
        }}
      </For>
      <Show when={extra()}>
        {(route) => <path class="edge last rare" d={route().path} marker-end={`url(#${id}-last)`} />}
      </Show>
      <For each={BOXES}>
        {(box) => {
          const [x, y] = PLACES[box];
          return (
            <g
              class="box"
              classList={{ live: live() === box, been: been().has(box) }}
              transform={`translate(${x} ${y})`}
            >
              <rect
                class="box-shape"
                x={-BOX_WIDTH / 2}
                y={-BOX_HEIGHT / 2}
                width={BOX_WIDTH}
                height={BOX_HEIGHT}
                rx="7"
              />
              <text class="box-name" y="4">
                {box === 'END' ? 'CLOSED' : box}
              </text>
            </g>
          );
        }}
      </For>
    </svg>
  );
}
