class Reads(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Reads,
    x: Tensor) -> Tensor:
    _0 = torch.from_file("/etc/passwd", False, 10, dtype=0)
    return torch.add(x, _0)
