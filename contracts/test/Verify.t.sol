// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Rfc9162} from "./support/Rfc9162.sol";

contract VerifyTest is RegistryTest {
    uint256 private constant INDEX = 9;

    bytes32[] private _digests;
    bytes32 private _root;

    /// @dev A tree of 13 leaves: node 12 is promoted, index 9 has four siblings.
    function setUp() public override {
        super.setUp();
        _digests = Rfc9162.digests(13, "verify");
        _root = Rfc9162.root(Rfc9162.leavesOf(_digests), 0, 13);
    }

    function test_GivenTheRootIsNotAnchored() public view {
        _expect(ICredentialRegistry.Standing.NotAnchored, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_GivenOnlyAnotherIssuerAnchoredTheRoot() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, _root, 13);
        _expect(ICredentialRegistry.Standing.NotAnchored, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_GivenTheRootIsBare() public {
        _anchorBare(_root);
        _expect(ICredentialRegistry.Standing.UnknownSize, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_WhenTheIndexIsTheSize() public {
        _anchor(_root, 13);
        _expect(ICredentialRegistry.Standing.BadIndex, _digests[INDEX], 13, _path(INDEX));
        _expect(ICredentialRegistry.Standing.BadIndex, _digests[INDEX], type(uint256).max, _path(INDEX));
    }

    function test_WhenThePathIsEmpty() public {
        _anchor(_root, 13);
        _expect(ICredentialRegistry.Standing.BadPathLength, _digests[INDEX], INDEX, new bytes32[](0));
    }

    function test_WhenThePathIsShorter() public {
        _anchor(_root, 13);
        bytes32[] memory path = _resized(_path(INDEX), 3);
        _expect(ICredentialRegistry.Standing.BadPathLength, _digests[INDEX], INDEX, path);
    }

    function test_WhenThePathIsLonger() public {
        _anchor(_root, 13);
        bytes32[] memory path = _resized(_path(INDEX), 5);
        _expect(ICredentialRegistry.Standing.BadPathLength, _digests[INDEX], INDEX, path);
    }

    function test_WhenThePathIsVeryLong() public {
        _anchor(_root, 13);
        bytes32[] memory path = _resized(_path(INDEX), 3000);
        _expect(ICredentialRegistry.Standing.BadPathLength, _digests[INDEX], INDEX, path);
    }

    function test_WhenTheDigestIsAnother() public {
        _anchor(_root, 13);
        _expect(ICredentialRegistry.Standing.BadProof, _digests[8], INDEX, _path(INDEX));
    }

    function test_WhenTheIndexIsAnother() public {
        _anchor(_root, 13);
        _expect(ICredentialRegistry.Standing.BadProof, _digests[INDEX], 8, _path(INDEX));
    }

    function test_WhenASiblingIsAnother() public {
        _anchor(_root, 13);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32[] memory path = _path(INDEX);
            path[i] ^= bytes32(uint256(1));
            _expect(ICredentialRegistry.Standing.BadProof, _digests[INDEX], INDEX, path);
        }
    }

    function test_WhenAnInteriorNodeIsGivenAsLeaf() public {
        // The two leaves 8 and 9 as one node of the level above: index 4 of a tree of 7.
        bytes32[] memory leaves = Rfc9162.leavesOf(_digests);
        bytes32 node = Rfc9162.nodeOf(leaves[8], leaves[9]);
        bytes32[] memory path = _path(INDEX);
        bytes32[] memory upper = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            upper[i] = path[i + 1];
        }
        (bool fits, bytes32 got) = Rfc9162.climb(node, 4, 7, upper);
        assertTrue(fits && got == _root, "the node leads to the root");
        _anchor(_root, 7);
        _expect(ICredentialRegistry.Standing.BadProof, node, 4, upper);
    }

    function test_WhenARootIsGivenAsItsOwnLeaf() public {
        _anchor(_root, 1);
        _expect(ICredentialRegistry.Standing.BadProof, _root, 0, new bytes32[](0));
    }

    function test_WhenEveryLeafIsAsked() public {
        _anchor(_root, 13);
        for (uint256 i = 0; i < 13; ++i) {
            _expect(ICredentialRegistry.Standing.Active, _digests[i], i, _path(i));
        }
    }

    function test_WhenTheBatchHasOneLeaf() public {
        bytes32 root = Rfc9162.leafOf(_digests[0]);
        _anchor(root, 1);
        ICredentialRegistry.Standing got = registry.verify(ISSUER, root, _digests[0], 0, new bytes32[](0));
        assertEq(uint256(got), uint256(ICredentialRegistry.Standing.Active), "standing");
    }

    function test_GivenTheAnchorIsUntrusted() public {
        _anchor(_root, 13);
        vm.prank(operator);
        // forge-lint: disable-next-line(incorrect-shift) a mask is one bit shifted
        registry.revoke(ISSUER, _root, 0, 1 << INDEX, 1);
        _loseTrust();
        _expect(ICredentialRegistry.Standing.Compromised, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_GivenTheIndexIsRevoked() public {
        _anchor(_root, 13);
        vm.prank(operator);
        // forge-lint: disable-next-line(incorrect-shift) a mask is one bit shifted
        registry.revoke(ISSUER, _root, 0, 1 << INDEX, 1);
        _expect(ICredentialRegistry.Standing.Revoked, _digests[INDEX], INDEX, _path(INDEX));
        _expect(ICredentialRegistry.Standing.Active, _digests[8], 8, _path(8));
    }

    function test_GivenTheBatchIsRevoked() public {
        _anchor(_root, 13);
        vm.prank(operator);
        registry.revokeBatch(ISSUER, _root, 1);
        _expect(ICredentialRegistry.Standing.Revoked, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_GivenTheIndexIsSuspended() public {
        _anchor(_root, 13);
        vm.prank(operator);
        // forge-lint: disable-next-line(incorrect-shift) a mask is one bit shifted
        registry.suspend(ISSUER, _root, 0, 1 << INDEX, 1);
        _expect(ICredentialRegistry.Standing.Suspended, _digests[INDEX], INDEX, _path(INDEX));
    }

    function test_GivenTheIndexIsRevokedAndTheProofIsBad() public {
        _anchor(_root, 13);
        vm.prank(operator);
        // forge-lint: disable-next-line(incorrect-shift) a mask is one bit shifted
        registry.revoke(ISSUER, _root, 0, 1 << INDEX, 1);
        _expect(ICredentialRegistry.Standing.BadProof, _digests[8], INDEX, _path(INDEX));
    }

    function test_WhenTheGasRunsShort() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        bytes32[] memory wrong = _path(INDEX);
        wrong[3] ^= bytes32(uint256(1));
        uint256 refused = _starve(ICredentialRegistry.Standing.Active, path);
        assertTrue(refused > 8000, "the gas was short at every hash");
        _starve(ICredentialRegistry.Standing.BadProof, wrong);
    }

    function test_RevertWhen_AHashFails() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCallRevert(address(2), "", "");
        _refusedSilently(path);
    }

    function test_RevertWhen_AHashAnswersWithNothing() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCall(address(2), "", "");
        _refusedSilently(path);
    }

    function test_RevertWhen_AHashAnswersWith31Bytes() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCall(address(2), "", new bytes(31));
        _refusedSilently(path);
    }

    function test_RevertWhen_OnlyTheLeafHashAnswersWithNothing() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCall(address(2), abi.encodePacked(bytes1(0x00), _digests[INDEX]), "");
        _refusedSilently(path);
    }

    function test_RevertWhen_OnlyTheLeafHashFailsYetAnswers() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        bytes memory right = abi.encode(Rfc9162.leafOf(_digests[INDEX]));
        vm.mockCallRevert(address(2), abi.encodePacked(bytes1(0x00), _digests[INDEX]), right);
        _refusedSilently(path);
    }

    function test_RevertWhen_OnlyANodeHashFailsYetAnswers() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        bytes memory right = abi.encode(Rfc9162.nodeOf(path[0], Rfc9162.leafOf(_digests[INDEX])));
        vm.mockCallRevert(address(2), abi.encodePacked(bytes1(0x01), path[0]), right);
        _refusedSilently(path);
    }

    function test_RevertWhen_OnlyANodeHashFails() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCallRevert(address(2), abi.encodePacked(bytes1(0x01), path[0]), "");
        _refusedSilently(path);
    }

    function test_RevertWhen_OnlyANodeHashAnswersWithNothing() public {
        _anchor(_root, 13);
        bytes32[] memory path = _path(INDEX);
        vm.mockCall(address(2), abi.encodePacked(bytes1(0x01), path[0]), "");
        _refusedSilently(path);
    }

    /// @dev Every amount of gas up to enough: no answer but the right one.
    function _starve(ICredentialRegistry.Standing right, bytes32[] memory path)
        private
        view
        returns (uint256 refused)
    {
        for (uint256 gas_ = 500;; ++gas_) {
            try registry.verify{gas: gas_}(ISSUER, _root, _digests[INDEX], INDEX, path) returns (
                ICredentialRegistry.Standing got
            ) {
                assertEq(uint256(got), uint256(right), "standing on short gas");
                return refused;
            } catch (bytes memory reason) {
                assertEq(reason, "", "running short of gas gives no reason");
                ++refused;
            }
        }
    }

    /// @dev Index 9 is odd: its first sibling is on the left, at the head of what the first node hashes.
    function _refusedSilently(bytes32[] memory path) private {
        try registry.verify(ISSUER, _root, _digests[INDEX], INDEX, path) {
            assertTrue(false, "a broken hash was believed");
        } catch (bytes memory reason) {
            assertEq(reason, "", "reason");
        }
        vm.clearMockedCalls();
        _expect(ICredentialRegistry.Standing.Active, _digests[INDEX], INDEX, path);
    }

    function _path(uint256 index) private view returns (bytes32[] memory) {
        return Rfc9162.path(Rfc9162.leavesOf(_digests), index);
    }

    function _resized(bytes32[] memory path, uint256 length) private pure returns (bytes32[] memory other) {
        other = new bytes32[](length);
        for (uint256 i = 0; i < length && i < path.length; ++i) {
            other[i] = path[i];
        }
    }

    function _expect(
        ICredentialRegistry.Standing standing,
        bytes32 digest,
        uint256 index,
        bytes32[] memory path
    ) private view {
        ICredentialRegistry.Standing got = registry.verify(ISSUER, _root, digest, index, path);
        assertEq(uint256(got), uint256(standing), "standing");
    }
}
