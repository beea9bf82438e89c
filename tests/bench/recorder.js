// Runs in the page before its own scripts: when it is of use, and how smoothly it goes on.

globalThis.bench = {
  usableMs: null,

  /** Note when the first frame is drawn in which an element that a selector names can be used. */
  watch(selector) {
    const look = () => {
      const found = document.querySelector(selector);
      if (found?.getClientRects().length && !found.disabled) this.usableMs = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  },

  /** Begin to note frames and long tasks. */
  record() {
    const frames = [];
    const tasks = [];
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    });
    observer.observe({ type: "longtask" });
    let last = null;
    let isOn = true;
    const note = (now) => {
      if (last !== null) frames.push(now - last);
      last = now;
      if (isOn) requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    this.stop = () => {
      isOn = false;
      for (const entry of observer.takeRecords()) tasks.push(entry.duration);
      observer.disconnect();
      return { frames, tasks };
    };
  },
};
