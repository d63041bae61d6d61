// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Trees and proofs as RFC 9162 words them, in plain Solidity. The twin of `MerklePath`: nothing here is
/// shared with it, the SHA-256 is the compiler's.
library Rfc9162 {
    function leafOf(bytes32 digest) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), digest));
    }

    function nodeOf(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice Section 2.1.1: MTH over the leaves [from, to).
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 split = from + largestPowerBelow(to - from);
        return nodeOf(root(leaves, from, split), root(leaves, split, to));
    }

    /// @notice Section 2.1.3.1: PATH(index, leaves).
    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory buffer = new bytes32[](64);
        uint256 used = _path(leaves, 0, leaves.length, index, buffer);
        siblings = new bytes32[](used);
        for (uint256 i = 0; i < used; ++i) {
            siblings[i] = buffer[i];
        }
    }

    function _path(bytes32[] memory leaves, uint256 from, uint256 to, uint256 index, bytes32[] memory buffer)
        private
        pure
        returns (uint256 used)
    {
        if (to - from == 1) return 0;
        uint256 split = from + largestPowerBelow(to - from);
        if (index < split) {
            used = _path(leaves, from, split, index, buffer);
            buffer[used] = root(leaves, split, to);
        } else {
            used = _path(leaves, split, to, index, buffer);
            buffer[used] = root(leaves, from, split);
        }
        return used + 1;
    }

    /// @notice The leaves, then each level above them up to the root: the same tree built from below.
    function levels(bytes32[] memory leaves) internal pure returns (bytes32[][] memory all) {
        all = new bytes32[][](64);
        all[0] = leaves;
        for (uint256 n = 0; all[n].length > 1; ++n) {
            all[n + 1] = new bytes32[]((all[n].length + 1) / 2);
            for (uint256 i = 0; i < all[n].length; i += 2) {
                bool lone = i + 1 == all[n].length;
                all[n + 1][i / 2] = lone ? all[n][i] : nodeOf(all[n][i], all[n][i + 1]);
            }
        }
    }

    /// @notice The siblings of a leaf on its way through `levels`.
    function pathFrom(bytes32[][] memory all, uint256 index)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        siblings = new bytes32[](pathLength(index, all[0].length));
        uint256 used = 0;
        for (uint256 n = 0; all[n].length > 1; ++n) {
            if (index ^ 1 < all[n].length) siblings[used++] = all[n][index ^ 1];
            index /= 2;
        }
    }

    /// @notice Section 2.1.3.2, step by step.
    /// @return fits the path has the length that index and size demand
    /// @return got the root that it leads to, if so
    function climb(bytes32 leaf, uint256 index, uint256 size, bytes32[] memory siblings)
        internal
        pure
        returns (bool fits, bytes32 got)
    {
        // 1. and 2.
        if (index >= size) return (false, 0);
        uint256 fn = index;
        uint256 sn = size - 1;
        // 3.
        bytes32 r = leaf;
        // 4.
        for (uint256 i = 0; i < siblings.length; ++i) {
            // a.
            if (sn == 0) return (false, 0);
            // b.
            if (fn % 2 == 1 || fn == sn) {
                r = nodeOf(siblings[i], r);
                if (fn % 2 == 0) {
                    while (fn % 2 == 0 && fn != 0) {
                        fn /= 2;
                        sn /= 2;
                    }
                }
            } else {
                r = nodeOf(r, siblings[i]);
            }
            // c.
            fn /= 2;
            sn /= 2;
        }
        // 5.
        return (sn == 0, r);
    }

    /// @notice How many siblings leaf `index` has on its way up, by the recursion of section 2.1.3.1.
    function pathLength(uint256 index, uint256 size) internal pure returns (uint256 length) {
        while (size > 1) {
            uint256 split = largestPowerBelow(size);
            if (index < split) {
                size = split;
            } else {
                index -= split;
                size -= split;
            }
            ++length;
        }
    }

    /// @notice The largest power of two smaller than n, for n > 1.
    function largestPowerBelow(uint256 n) internal pure returns (uint256 power) {
        power = 1;
        while (power * 2 < n) power *= 2;
    }

    /// @notice `size` different digests.
    function digests(uint256 size, bytes32 salt) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            list[i] = sha256(abi.encode(salt, i));
        }
    }

    function leavesOf(bytes32[] memory list) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            leaves[i] = leafOf(list[i]);
        }
    }
}
