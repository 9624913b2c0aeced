// A module worker that runs the module it is told of and posts what its `run()` returns.

self.onmessage = async ({ data }) => {
  try {
    const module = await import(data);
    self.postMessage(await module.run());
  } catch (error) {
    self.postMessage({ 'the worker itself': `${error.name}: ${error.message}` });
  }
};
