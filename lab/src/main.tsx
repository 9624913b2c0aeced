// The entry of the page.

import { render } from 'solid-js/web';
import { App } from './view/App.tsx';
import './style.css';
import './bench.css';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');
root.textContent = '';
render(() => <App />, root);
