class Writes(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Writes,
    x: Tensor,
    name: str) -> Tensor:
    torch.save(x, name)
    return x
