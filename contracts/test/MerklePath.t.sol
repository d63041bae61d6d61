// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerklePath} from "../src/MerklePath.sol";
import {Rfc9162} from "./support/Rfc9162.sol";
import {Test} from "./support/Test.sol";

/// @dev The library behind a call, since it takes its path from calldata.
contract MerklePathCaller {
    function check(bytes32 root, uint256 size, bytes32 digest, uint256 index, bytes32[] calldata path)
        external
        view
        returns (MerklePath.Result)
    {
        return MerklePath.check(root, size, digest, index, path);
    }
}

/// @dev Compares the library with RFC 9162 word by word.
contract MerklePathTest is Test {
    MerklePathCaller private _library;

    function setUp() public {
        _library = new MerklePathCaller();
    }

    /// @dev Digests that are the numbers 0, 1, 2 ...; the roots were computed with Python's hashlib.
    function test_KnownRoots() public view {
        _known(1, 0x7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9);
        _known(3, 0x66b8d1a5f040f71eafdff2e177d32003ea0ee51178ca3a9219c33c3dec04cda7);
        _known(7, 0x9b2f1295c253ef1c0cd2077e99368c407a84c525de4a441b443ed525a7730a64);
    }

    function test_EveryIndexOfEverySizeTo80() public view {
        _everySize(1, 80);
    }

    function test_EveryIndexOfEverySizeFrom81To110() public view {
        _everySize(81, 110);
    }

    function test_EveryIndexOfEverySizeFrom111To130() public view {
        _everySize(111, 130);
    }

    function test_SizeZeroHasNoIndex() public view {
        bytes32[] memory path = new bytes32[](0);
        bytes32 leaf = Rfc9162.leafOf("x");
        _expect(MerklePath.Result.BadIndex, leaf, 0, "x", 0, path);
        _expect(MerklePath.Result.BadIndex, leaf, 0, "x", type(uint256).max, path);
    }

    /// @dev Trees too large to build: random siblings, and the root to which RFC 9162 leads.
    function testFuzz_LargeSizes(uint256 size, uint256 index, bytes32 digest, bytes32 salt) public view {
        size = 1 + size % 2 ** 40;
        index %= size;
        bytes32[] memory path = Rfc9162.digests(Rfc9162.pathLength(index, size), salt);
        (bool fits, bytes32 root) = Rfc9162.climb(Rfc9162.leafOf(digest), index, size, path);
        assertTrue(fits, "the path has the right length");
        _expect(MerklePath.Result.Included, root, size, digest, index, path);
        _expect(MerklePath.Result.BadRoot, root, size, digest ^ bytes32(uint256(1)), index, path);
        _expect(MerklePath.Result.BadRoot, ~root, size, digest, index, path);
        _expect(MerklePath.Result.BadIndex, root, size, digest, size, path);
        _expect(MerklePath.Result.BadIndex, root, size, digest, size + index, path);
        if (path.length != 0) {
            path[uint256(salt) % path.length] ^= digest | bytes32(uint256(1));
            _expect(MerklePath.Result.BadRoot, root, size, digest, index, path);
        }
    }

    /// @dev Paths of any length, right or wrong: the library agrees with RFC 9162 on all of them.
    function testFuzz_AnyPath(uint256 size, uint256 index, bytes32 digest, bytes32[] memory path)
        public
        view
    {
        size %= 2 ** 12;
        index %= 2 ** 12 + 10;
        (bool fits, bytes32 root) = Rfc9162.climb(Rfc9162.leafOf(digest), index, size, path);
        MerklePath.Result result = index >= size
            ? MerklePath.Result.BadIndex
            : fits ? MerklePath.Result.Included : MerklePath.Result.BadLength;
        _expect(result, root, size, digest, index, path);
    }

    /// @dev The largest sizes that the registry can hold.
    function testFuzz_LargestSizes(uint48 below, uint256 index, bytes32 digest) public view {
        uint256 size = type(uint48).max - below % 1000;
        index %= size;
        bytes32[] memory path = Rfc9162.digests(Rfc9162.pathLength(index, size), digest);
        (, bytes32 root) = Rfc9162.climb(Rfc9162.leafOf(digest), index, size, path);
        _expect(MerklePath.Result.Included, root, size, digest, index, path);
    }

    /// @dev Memory is the caller's: nothing that was allocated changes, and what is free stays usable.
    function test_MemoryIsKept() public view {
        bytes32[] memory digests = Rfc9162.digests(9, "memory");
        bytes32[] memory leaves = Rfc9162.leavesOf(digests);
        this.checkAndKeep(Rfc9162.root(leaves, 0, 9), 9, digests[3], 3, Rfc9162.path(leaves, 3));
    }

    function checkAndKeep(bytes32 root, uint256 size, bytes32 digest, uint256 index, bytes32[] calldata path)
        external
        view
    {
        bytes memory before = abi.encode(digest, root, index);
        bytes32 hash = keccak256(before);
        MerklePath.Result result = MerklePath.check(root, size, digest, index, path);
        bytes memory later = new bytes(96);
        assertEq(uint256(result), uint256(MerklePath.Result.Included), "result");
        assertEq(keccak256(before), hash, "memory allocated before");
        assertEq(keccak256(later), keccak256(abi.encode(0, 0, 0)), "memory allocated after");
    }

    function everyIndex(uint256 size) external view {
        bytes32[] memory digests = Rfc9162.digests(size, "small");
        bytes32[] memory leaves = Rfc9162.leavesOf(digests);
        bytes32[][] memory levels = Rfc9162.levels(leaves);
        bytes32 root = Rfc9162.root(leaves, 0, size);
        for (uint256 i = 0; i < size; ++i) {
            bytes32[] memory path = Rfc9162.pathFrom(levels, i);
            assertEq(path.length, Rfc9162.pathLength(i, size), "path length");
            _expect(MerklePath.Result.Included, root, size, digests[i], i, path);
            // The leaf itself as a digest: one hash too many.
            _expect(MerklePath.Result.BadRoot, root, size, leaves[i], i, path);
            _expect(MerklePath.Result.BadIndex, root, size, digests[i], i + size, path);
            _wrongLengths(root, size, digests[i], i, path.length);
        }
    }

    function _everySize(uint256 first, uint256 last) private view {
        for (uint256 size = first; size <= last; ++size) {
            // A call of its own, so that each size starts with empty memory.
            this.everyIndex(size);
        }
    }

    function _known(uint256 size, bytes32 root) private view {
        bytes32[] memory digests = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            digests[i] = bytes32(i);
        }
        bytes32[] memory leaves = Rfc9162.leavesOf(digests);
        assertEq(Rfc9162.root(leaves, 0, size), root, "root");
        for (uint256 i = 0; i < size; ++i) {
            _expect(MerklePath.Result.Included, root, size, digests[i], i, Rfc9162.path(leaves, i));
        }
    }

    function _wrongLengths(bytes32 root, uint256 size, bytes32 digest, uint256 index, uint256 length)
        private
        view
    {
        for (uint256 given = 0; given < 10; ++given) {
            if (given == length) continue;
            _expect(MerklePath.Result.BadLength, root, size, digest, index, new bytes32[](given));
        }
    }

    function _expect(
        MerklePath.Result result,
        bytes32 root,
        uint256 size,
        bytes32 digest,
        uint256 index,
        bytes32[] memory path
    ) private view {
        MerklePath.Result got = _library.check(root, size, digest, index, path);
        if (got != result) assertEq(uint256(got), uint256(result), "result");
    }
}
