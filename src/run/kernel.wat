;; The sum of kernel.ts: ones' complement sum of 16-bit words (RFC 1071), 64 octets a step.
;;
;; s(at, len) -> the little-endian words of memory[at, at + len) summed and folded to 16 bits; an odd last octet is
;; padded with zero. Lanes are 32 bits wide and grow by at most 2 * 0xffff a step, so `len` must stay below 2 MiB:
;; there are four of them, and the memory has 8 MiB. `node scripts/kernel.mjs` writes the octets into kernel-bytes.ts.
(module
  (memory (import "e" "m") 1)
  (func (export "s") (param $at i32) (param $len i32) (result i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $end i32) (local $sum i32)
    ;; Whole steps of 64 octets.
    (local.set $end (i32.add (local.get $at) (i32.and (local.get $len) (i32.const -64))))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (loop $step
          (local.set $a (i32x4.add (local.get $a) (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))))
          (local.set $b (i32x4.add (local.get $b) (i32x4.extadd_pairwise_i16x8_u (v128.load offset=16 (local.get $at)))))
          (local.set $c (i32x4.add (local.get $c) (i32x4.extadd_pairwise_i16x8_u (v128.load offset=32 (local.get $at)))))
          (local.set $d (i32x4.add (local.get $d) (i32x4.extadd_pairwise_i16x8_u (v128.load offset=48 (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (br_if $step (i32.lt_u (local.get $at) (local.get $end))))))
    ;; Up to three vectors of 16.
    (local.set $len (i32.and (local.get $len) (i32.const 63)))
    (local.set $end (i32.add (local.get $at) (i32.and (local.get $len) (i32.const 48))))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (loop $vector
          (local.set $b (i32x4.add (local.get $b) (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $vector (i32.lt_u (local.get $at) (local.get $end))))))
    ;; Every lane is split into its halves before lanes are added: none overflows.
    (local.set $a (i32x4.add (call $halves (local.get $a)) (call $halves (local.get $b))))
    (local.set $c (i32x4.add (call $halves (local.get $c)) (call $halves (local.get $d))))
    (local.set $a (i32x4.add (local.get $a) (local.get $c)))
    (local.set $sum
      (i32.add
        (i32.add (i32x4.extract_lane 0 (local.get $a)) (i32x4.extract_lane 1 (local.get $a)))
        (i32.add (i32x4.extract_lane 2 (local.get $a)) (i32x4.extract_lane 3 (local.get $a)))))
    ;; Up to seven words, and the odd octet: in little-endian order it is the low half of its word.
    (local.set $end (i32.add (local.get $at) (i32.and (local.get $len) (i32.const 14))))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (loop $word
          (local.set $sum (i32.add (local.get $sum) (i32.load16_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (br_if $word (i32.lt_u (local.get $at) (local.get $end))))))
    (if (i32.and (local.get $len) (i32.const 1))
      (then (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))))
    (local.set $sum (i32.add (i32.and (local.get $sum) (i32.const 0xffff)) (i32.shr_u (local.get $sum) (i32.const 16))))
    (i32.add (i32.and (local.get $sum) (i32.const 0xffff)) (i32.shr_u (local.get $sum) (i32.const 16))))

  (func $halves (param $v v128) (result v128)
    (i32x4.add
      (v128.and (local.get $v) (v128.const i32x4 0xffff 0xffff 0xffff 0xffff))
      (i32x4.shr_u (local.get $v) (i32.const 16)))))
