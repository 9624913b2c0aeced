// `node:async_hooks` where there are no asynchronous contexts.

export class AsyncResource {
  runInAsyncScope(run, self, ...args) {
    return Reflect.apply(run, self, args);
  }
}

export default { AsyncResource };
