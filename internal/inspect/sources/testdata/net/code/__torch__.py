class Net(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  lstm : __torch__.torch.nn.modules.rnn.LSTM
  norm : __torch__.torch.nn.modules.batchnorm.BatchNorm1d
  parts : __torch__.torch.nn.modules.container.ModuleList
  def forward(self: __torch__.Net,
    x: Tensor,
    add: Optional[Tensor]=None) -> Tuple[Tensor, str, Device, Tensor]:
    lstm = self.lstm
    norm = self.norm
    _0 = (lstm).forward__0((norm).forward(x, ), None, )
    y, _1, = _0
    parts = self.parts
    _00 = getattr(parts, "0")
    _10 = getattr(parts, "1")
    y0 = (_00).forward(y, )
    y1 = (_10).forward(y0, )
    _2 = __torch__.Counter.__new__(__torch__.Counter)
    _3 = (_2).__init__(3, )
    k = (_2).add(1, )
    if torch.__isnot__(add, None):
      add0 = unchecked_cast(Tensor, add)
      y2 = torch.add(y1, add0)
    else:
      if torch.gt(k, 0):
        pass
      else:
        _4 = torch.add("AssertionError: ", torch.format("bad {}", k))
        ops.prim.RaiseException(_4)
      y2 = y1
    def __forked_function():
      return __torch__.helper(y2, 2, )
    _5 = fork(__forked_function)
    y3 = torch.wait(_5)
    _6 = annotate(List[float], [])
    for i in range(3):
      _7 = torch.append(_6, float(i))
    print("k", k, _6)
    _8 = (__torch__.helper(y3, 2, ), torch.percentFormat("%d", k), torch.device("cpu"), torch.slice(y3, -1, None, 2))
    return _8
def helper(x: Tensor,
    n: int) -> Tensor:
  x0 = x
  for i in range(n):
    if bool(torch.gt(torch.sum(x0), 0)):
      x1 = torch.mul(x0, 2)
    else:
      x1 = x0
    x0 = x1
  return x0
class Counter:
  seen : List[int]
  def __init__(self: __torch__.Counter,
    n: int) -> NoneType:
    self.seen = [n]
    return None
  def add(self: __torch__.Counter,
    k: int) -> int:
    seen = self.seen
    _9 = torch.append(seen, k)
    seen0 = self.seen
    return torch.len(seen0)
