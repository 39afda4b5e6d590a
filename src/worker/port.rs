use crate::abi::uv__queue;
use crate::event_loop::Loop;
use crate::ptr::Cx;
pub unsafe fn run(_cx: &mut Cx, _lp: Loop, _node: *mut uv__queue) {}
