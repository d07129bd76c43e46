// libtorch's generator and thread settings are global, so tests run one after another.
[assembly: DoNotParallelize]
