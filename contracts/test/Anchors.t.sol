// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

string constant ANCHORED = "Anchored(uint256,bytes32,address,uint48,uint40,bytes32)";

contract AnchorTest is RegistryTest {
    function test_RevertWhen_TheSizeIsZero() public {
        _refuse(ICredentialRegistry.ZeroSize.selector);
        _anchor(ROOT, 0);
    }

    function test_RevertWhen_TheRootIsZero() public {
        _refuse(ICredentialRegistry.ZeroRoot.selector);
        _anchor(0, SIZE);
    }

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(operator);
        registry.anchor(UNKNOWN, ROOT, SIZE);
    }

    function test_RevertWhen_TheCallerIsAStranger() public {
        _refuseMissingRole(ISSUER, OUTSIDER, ANCHOR);
        vm.prank(OUTSIDER);
        registry.anchor(ISSUER, ROOT, SIZE);
    }

    function test_RevertWhen_TheCallerIsTheOwner() public {
        _refuseMissingRole(ISSUER, OWNER, ANCHOR);
        vm.prank(OWNER);
        registry.anchor(ISSUER, ROOT, SIZE);
    }

    function test_RevertWhen_TheCallerHasTheStatusRoleOnly() public {
        _refuseMissingRole(ISSUER, KEEPER, ANCHOR);
        vm.prank(KEEPER);
        registry.anchor(ISSUER, ROOT, SIZE);
    }

    function test_RevertWhen_TheCallerWorksForAnotherIssuer() public {
        _refuseMissingRole(ISSUER, OTHER_OPERATOR, ANCHOR);
        vm.prank(OTHER_OPERATOR);
        registry.anchor(ISSUER, ROOT, SIZE);
    }

    function test_RevertGiven_TheRoleOfTheCallerEnded() public {
        _setOperator(operator, STATUS);
        _refuseMissingRole(ISSUER, operator, ANCHOR);
        _anchor(ROOT, SIZE);
    }

    function test_RevertGiven_TheCallerIsCompromised() public {
        _compromise(operator, START - 7);
        _refuseKeyCompromised(operator, START - 7);
        _anchor(ROOT, SIZE);
    }

    function test_RevertWhen_TheRootIsAnchoredByTheCaller() public {
        _anchor(ROOT, SIZE);
        vm.warp(START + 9);
        _refuseAlreadyAnchored(ROOT, operator, START, SIZE);
        _anchor(ROOT, SIZE);
    }

    function test_RevertWhen_TheRootIsAnchoredByAnotherKey() public {
        _anchor(ROOT, SIZE);
        _refuseAlreadyAnchored(ROOT, operator, START, SIZE);
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, ROOT, SIZE);
    }

    function test_RevertWhen_TheRootIsAnchoredAtAnotherSize() public {
        _anchor(ROOT, SIZE);
        _refuseAlreadyAnchored(ROOT, operator, START, SIZE);
        _anchor(ROOT, SIZE + 1);
    }

    function test_RevertWhen_TheRootIsAnchoredBare() public {
        _anchorBare(ROOT);
        _refuseAlreadyAnchored(ROOT, operator, START, 0);
        _anchor(ROOT, SIZE);
    }

    function test_WhenTheRootIsNew() public {
        _watch(ISSUER);
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, ROOT, SIZE);
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(ANCHORER), abi.encode(SIZE));
        _expectAnchor(ISSUER, ROOT, ANCHORER, START, SIZE, 0);
    }

    function test_WhenTheSizeIsTheLargest() public {
        _watch(ISSUER);
        _anchor(ROOT, type(uint48).max);
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(operator), abi.encode(type(uint48).max));
        _expectAnchor(ISSUER, ROOT, operator, START, type(uint48).max, 0);
    }

    function test_WhenAnotherIssuerAnchoredTheRootFirst() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE + 5);
        vm.warp(START + 1);
        _anchor(ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, operator, START + 1, SIZE, 0);
        _expectAnchor(OTHER, ROOT, OTHER_OPERATOR, START, SIZE + 5, 0);
    }

    function test_RevertGiven_TheAnchorIsOlderThanTheCompromise() public {
        _anchor(ROOT, SIZE);
        vm.warp(START + 60);
        _compromise(operator, START + 1);
        _refuseAlreadyAnchored(ROOT, operator, START, SIZE);
        _anchorAgain(ROOT, SIZE);
    }

    function test_RevertWhen_TheUntrustedRootComesAtAnotherSize() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        _refuseSizeDiffers(ROOT, SIZE, SIZE - 1);
        _anchorAgain(ROOT, SIZE - 1);
    }

    function test_RevertWhen_TheUntrustedBareRootComesWithASize() public {
        _anchorBare(ROOT);
        _loseTrust();
        _refuseSizeDiffers(ROOT, 0, SIZE);
        _anchorAgain(ROOT, SIZE);
    }

    function test_RevertWhen_TheKeyThatLostItsTrustTriesAgain() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        _refuseKeyCompromised(operator, START);
        _anchor(ROOT, SIZE);
    }

    function test_WhenTheUntrustedRootComesAtItsSize() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Compromised);
        _watch(ISSUER);
        _anchorAgain(ROOT, SIZE);
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(ANCHORER), abi.encode(SIZE));
        _expectAnchor(ISSUER, ROOT, ANCHORER, START + 60, SIZE, 0);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Active);
    }

    function test_GivenTheUntrustedRootHasAStatus() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 1, 1, 1);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 1, 2, 1);
        _loseTrust();
        _anchorAgain(ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, ANCHORER, START + 60, SIZE, 0);
        _expectStatus(ROOT, 256, ICredentialRegistry.Standing.Revoked);
        _expectStatus(ROOT, 257, ICredentialRegistry.Standing.Suspended);
    }

    function test_GivenTheUntrustedBatchIsRevoked() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revokeBatch(ISSUER, ROOT, 1);
        _loseTrust();
        _anchorAgain(ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, ANCHORER, START + 60, SIZE, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }

    function test_RevertGiven_TheRootWasAnchoredAgain() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        _anchorAgain(ROOT, SIZE);
        _refuseAlreadyAnchored(ROOT, ANCHORER, START + 60, SIZE);
        _anchorAgain(ROOT, SIZE);
    }

    function test_GivenTheSecondKeyLosesItsTrustToo() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        _anchorAgain(ROOT, SIZE);
        vm.warp(START + 120);
        _compromise(ANCHORER, START + 60);
        _setOperator(OUTSIDER, ANCHOR);
        vm.prank(OUTSIDER);
        registry.anchor(ISSUER, ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, OUTSIDER, START + 120, SIZE, 0);
    }

    function _anchorAgain(bytes32 root, uint48 size) private {
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, root, size);
    }
}

contract AnchorOfTest is RegistryTest {
    function test_GivenTheRootIsNotAnchored() public view {
        _expectAnchor(ISSUER, ROOT, address(0), 0, 0, 0);
    }

    function test_GivenAnotherIssuerAnchoredTheRoot() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, address(0), 0, 0, 0);
    }

    function test_GivenTheRootIsAnchored() public {
        _anchor(ROOT, SIZE);
        _expectAnchor(ISSUER, ROOT, operator, START, SIZE, 0);
    }

    function test_GivenTheRootIsAnchoredBare() public {
        _anchorBare(ROOT);
        _expectAnchor(ISSUER, ROOT, operator, START, 0, 0);
    }

    function test_GivenTheBatchIsRevoked() public {
        _anchor(ROOT, SIZE);
        vm.prank(KEEPER);
        registry.revokeBatch(ISSUER, ROOT, 1);
        _expectAnchor(ISSUER, ROOT, operator, START, SIZE, 1);
    }
}

/// @dev Calldata of 32 bytes.
contract FallbackTest is RegistryTest {
    function test_RevertWhen_ThereIsNoCalldata() public {
        _refused("", abi.encodeWithSelector(ICredentialRegistry.BadCalldata.selector, 0));
    }

    function test_RevertWhen_TheSelectorIsUnknown() public {
        _refused(hex"deadbeef", abi.encodeWithSelector(ICredentialRegistry.BadCalldata.selector, 4));
    }

    function test_RevertWhen_TheCalldataHas31Bytes() public {
        _nameIssuer();
        _refused(_bytes(31), abi.encodeWithSelector(ICredentialRegistry.BadCalldata.selector, 31));
    }

    function test_RevertWhen_TheCalldataHas33Bytes() public {
        _nameIssuer();
        _refused(_bytes(33), abi.encodeWithSelector(ICredentialRegistry.BadCalldata.selector, 33));
    }

    function test_RevertWhen_MoneyComesAlong() public {
        _nameIssuer();
        vm.deal(operator, 1 ether);
        vm.prank(operator);
        (bool done, bytes memory answer) = address(registry).call{value: 1}(abi.encode(ROOT));
        assertTrue(!done, "the registry took money");
        assertEq(answer, "", "reason");
    }

    function test_RevertGiven_TheSenderNamedNoIssuer() public {
        _refused(
            abi.encode(ROOT), abi.encodeWithSelector(ICredentialRegistry.NoBareIssuer.selector, operator)
        );
    }

    function test_RevertWhen_TheRootIsZero() public {
        _nameIssuer();
        _refused(abi.encode(0), abi.encodeWithSelector(ICredentialRegistry.ZeroRoot.selector));
    }

    function test_RevertGiven_TheRoleOfTheSenderEnded() public {
        _nameIssuer();
        _setOperator(operator, STATUS);
        _refused(
            abi.encode(ROOT),
            abi.encodeWithSelector(ICredentialRegistry.MissingRole.selector, ISSUER, operator, ANCHOR)
        );
    }

    function test_RevertGiven_TheSenderIsCompromised() public {
        _nameIssuer();
        _compromise(operator, START);
        _refused(
            abi.encode(ROOT),
            abi.encodeWithSelector(ICredentialRegistry.KeyCompromised.selector, ISSUER, operator, START)
        );
    }

    function test_RevertWhen_TheRootIsAnchoredBareAlready() public {
        _anchorBare(ROOT);
        _refused(abi.encode(ROOT), _alreadyAnchored(0));
    }

    function test_RevertWhen_TheRootIsAnchoredWithASize() public {
        _nameIssuer();
        _anchor(ROOT, SIZE);
        _refused(abi.encode(ROOT), _alreadyAnchored(SIZE));
    }

    function test_RevertWhen_TheUntrustedRootHadASize() public {
        _anchor(ROOT, SIZE);
        _loseTrust();
        vm.prank(ANCHORER);
        registry.nameBareIssuer(ISSUER);
        (bool done, bytes memory answer) = _send(ANCHORER, abi.encode(ROOT));
        assertTrue(!done, "anchored");
        assertEq(
            answer,
            abi.encodeWithSelector(ICredentialRegistry.SizeDiffers.selector, ISSUER, ROOT, SIZE, 0),
            "reason"
        );
    }

    function test_WhenTheUntrustedRootWasBare() public {
        _anchorBare(ROOT);
        _loseTrust();
        vm.prank(ANCHORER);
        registry.nameBareIssuer(ISSUER);
        _watch(ISSUER);
        (bool done,) = _send(ANCHORER, abi.encode(ROOT));
        assertTrue(done, "refused");
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(ANCHORER), abi.encode(0));
        _expectAnchor(ISSUER, ROOT, ANCHORER, START + 60, 0, 0);
    }

    function test_WhenTheRootIsNew() public {
        _nameIssuer();
        _watch(ISSUER);
        (bool done, bytes memory answer) = _send(operator, abi.encode(ROOT));
        assertTrue(done, "refused");
        assertEq(answer, "", "answer");
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(operator), abi.encode(0));
        _expectAnchor(ISSUER, ROOT, operator, START, 0, 0);
    }

    function test_WhenTheRootBeginsWithASelector() public {
        _nameIssuer();
        bytes4[] memory selectors = _selectors();
        bytes32 head = registry.headOf(ISSUER);
        uint256 passed = 0;
        for (uint256 i = 0; i < selectors.length; ++i) {
            bytes memory root = abi.encodePacked(selectors[i], bytes28(keccak256(abi.encode(i))));
            vm.record();
            vm.recordLogs();
            (bool done,) = _send(operator, root);
            (, bytes32[] memory writes) = vm.accesses(address(registry));
            assertEq(writes.length, 0, "storage was written");
            assertEq(vm.getRecordedLogs().length, 0, "something was logged");
            bool isView = selectors[i] == ICredentialRegistry.issuerCount.selector
                || selectors[i] == ICredentialRegistry.domainSeparator.selector;
            assertTrue(done == isView, "only a view without arguments answers");
            // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
            _expectAnchor(ISSUER, bytes32(root), address(0), 0, 0, 0);
            if (done) ++passed;
        }
        assertEq(passed, 2, "views without arguments");
        assertEq(registry.headOf(ISSUER), head, "head");
    }

    /// @dev Every function of the interface.
    function _selectors() private pure returns (bytes4[] memory list) {
        list = new bytes4[](30);
        list[0] = ICredentialRegistry.registerIssuer.selector;
        list[1] = ICredentialRegistry.transferOwnership.selector;
        list[2] = ICredentialRegistry.acceptOwnership.selector;
        list[3] = ICredentialRegistry.setOperator.selector;
        list[4] = ICredentialRegistry.reportCompromise.selector;
        list[5] = ICredentialRegistry.nameBareIssuer.selector;
        list[6] = ICredentialRegistry.anchor.selector;
        list[7] = ICredentialRegistry.anchorBySig.selector;
        list[8] = ICredentialRegistry.revoke.selector;
        list[9] = ICredentialRegistry.suspend.selector;
        list[10] = ICredentialRegistry.reinstate.selector;
        list[11] = ICredentialRegistry.revokeMany.selector;
        list[12] = ICredentialRegistry.suspendMany.selector;
        list[13] = ICredentialRegistry.reinstateMany.selector;
        list[14] = ICredentialRegistry.revokeBatch.selector;
        list[15] = ICredentialRegistry.accredit.selector;
        list[16] = ICredentialRegistry.withdrawAccreditation.selector;
        list[17] = ICredentialRegistry.issuerCount.selector;
        list[18] = ICredentialRegistry.issuerOf.selector;
        list[19] = ICredentialRegistry.headOf.selector;
        list[20] = ICredentialRegistry.operatorOf.selector;
        list[21] = ICredentialRegistry.bareIssuerOf.selector;
        list[22] = ICredentialRegistry.anchorOf.selector;
        list[23] = ICredentialRegistry.statusOf.selector;
        list[24] = ICredentialRegistry.accreditationOf.selector;
        list[25] = ICredentialRegistry.accreditationCount.selector;
        list[26] = ICredentialRegistry.accreditationSpan.selector;
        list[27] = ICredentialRegistry.verify.selector;
        list[28] = ICredentialRegistry.anchorDigest.selector;
        list[29] = ICredentialRegistry.domainSeparator.selector;
        // The interface's id is the exclusive or of all its selectors: a function that is missing here shows.
        bytes4 all;
        for (uint256 i = 0; i < list.length; ++i) {
            all ^= list[i];
        }
        assertTrue(all == type(ICredentialRegistry).interfaceId, "a function is missing from the list");
    }

    function _nameIssuer() private {
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
    }

    function _refused(bytes memory data, bytes memory reason) private {
        (bool done, bytes memory answer) = _send(operator, data);
        assertTrue(!done, "not refused");
        assertEq(answer, reason, "reason");
    }

    function _alreadyAnchored(uint48 size) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            ICredentialRegistry.AlreadyAnchored.selector, ISSUER, ROOT, operator, START, size
        );
    }

    function _bytes(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = 0xee;
        }
    }
}
